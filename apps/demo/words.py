"""The words of the demonstration: invented names, schools, and what coaches and principals write.

Scenes stand under the number of the competency that they show. Competencies without an official text or a
working label get scenes that claim nothing about their meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _listed(text: str, between: str = " ") -> tuple[str, ...]:
    return tuple(text.split(between))


FIRST_NAMES: Final = _listed(
    "Alana Amara Andre Anita Beatriz Bennett Brianna Caleb Camille Carlos Cecily Charlotte Clayton Corinne Dale "
    "Damon Darius Deborah Delia Desmond Diane Dominic Elaine Eleanor Elijah Emeka Erin Esther Felix Fiona Garrett "
    "Gloria Grant Gwendolyn Hannah Harold Helen Imani Irene Isaac Ivy Jamal Janelle Jasper Joanna Joel Josephine "
    "Julian Kareem Kathleen Keiko Kendra Lamar Laurel Leah Leon Lucia Lydia Malcolm Marisol Marcus Martha Maxine "
    "Miles Miriam Monique Naomi Nathaniel Nell Nolan Odessa Omar Opal Patrice Phoebe Quentin Rachel Ramona Reggie "
    "Renata Rosalind Roy Ruth Samir Selena Silas Simone Sofia Stella Tamika Terrence Theodora Tobias Ursula Vera "
    "Vincent Wade Wanda Willa Xavier Yolanda Zachary"
)
LAST_NAMES: Final = _listed(
    "Abernathy Adeyemi Alvarado Ashby Baptiste Barlow Beckwith Bellamy Bergstrom Blackwood Boone Bradshaw Brookfield "
    "Calloway Carmody Castellanos Chastain Clevenger Colburn Corrigan Crowder Dalrymple Delacroix Dunleavy Eastman "
    "Ellsworth Everhart Fairchild Farnsworth Fitzhugh Fontaine Gallagher Garrison Goodnight Greer Hadley Halvorsen "
    "Hargrove Hatcher Hollister Huang Ibarra Ingram Jeffries Kessler Kincaid Kowalski Lancaster Langford Lindqvist "
    "Lockhart Lovelace Maddox Marchetti McAllister Mendoza Merriweather Montague Mosby Nakamura Navarro Newcomb "
    "Northcutt Okafor Oliphant Orozco Overstreet Pemberton Pettigrew Pruitt Quigley Ramsey Redmond Rivers Rosenthal "
    "Salazar Satterfield Sheffield Sinclair Stallworth Stockton Strickland Tanaka Thackeray Thibodeaux Tillman "
    "Underwood Vandiver Villanueva Wainwright Washburn Weatherby Whitfield Winslow Yarborough Youngblood Zimmerman"
)
SCHOOL_PLACES: Final = _listed(
    "Cedar Ridge,Willow Creek,Prairie View,Limestone,Oak Hollow,Sycamore,Riverbend,Dogwood,Blue Heron,Eastgate,"
    "Hickory Grove,Mill Spring,North Fork,Orchard Hill,Persimmon,Pin Oak,Quarry Road,Redbud,Shoal Creek,Stonebridge,"
    "Sugar Maple,Three Rivers,Timber Lake,Walnut Bluff,West Meadow,Whippoorwill,Cottonwood,Flint Hill",
    ",",
)
SCHOOL_KINDS: Final = (
    "Elementary School",
    "Elementary School",
    "Middle School",
    "High School",
    "Primary School",
    "K-8 School",
)
GRADES: Final = (
    "kindergarten",
    "first-grade",
    "second-grade",
    "third-grade",
    "fourth-grade",
    "fifth-grade",
    "sixth-grade",
    "seventh-grade",
    "eighth-grade",
    "ninth-grade",
)
SUBJECTS: Final = (
    "mathematics",
    "reading",
    "science",
    "writing",
    "social studies",
    "algebra",
    "biology",
    "art",
    "Spanish",
)

SCENES: Final[Mapping[int, tuple[str, ...]]] = {
    1: (
        "The principal opened the staff meeting with the vision that the staff drafted in August, and asked each "
        "table what had changed in our community since then.",
        "The entrance hall now shows the vision in the three languages that families speak at home; the principal "
        "explained how each phrase came out of the listening sessions.",
        "A new teacher asked why the school starts with advisory. The principal answered from the school's own "
        "story and not from a handbook.",
    ),
    2: (
        "Two custodians and a bus driver could say in their own words what the school stands for. That does not "
        "happen by itself; the principal meets them every month.",
        "At the family breakfast the principal tied the new homework practice to the school's values before anyone "
        "asked about grades.",
        "The {grade} team read the mission aloud and struck two of their own goals that did not serve it. The "
        "principal let them do the work.",
    ),
    3: (
        "Attendance, {subject} scores and the student survey lay side by side. The principal asked which of them "
        "would tell us whether we live up to our mission.",
        "The data wall holds no student names any more. The principal explained the change to staff with the law "
        "and with respect for children.",
        "When one chart looked good and another did not, the principal stayed with the one that hurt and asked the "
        "team what it says about our promise to families.",
    ),
    4: (
        "The {grade} team laid its {subject} units beside those of the grade above and found two that were taught "
        "twice and one that nobody taught. The principal kept the talk on the standards.",
        "I sat in on the vertical team for {subject}. The principal asked for student work before opinions, and the "
        "team re-ordered the second quarter.",
        "The pacing guide was checked against the state standards line by line; gaps went to a shared list with an "
        "owner and a date.",
    ),
    5: (
        "In three {subject} rooms we saw the same talk moves that were modelled at last month's learning lab.",
        "The principal named the practice, the reason for it, and the content it fits. The teacher tried it in the "
        "next lesson while we watched.",
        "Staff compared two ways of teaching fractions by the work that students produced. The principal brought "
        "the research and left the choice of words to the team.",
    ),
    6: (
        "We walked through four classrooms. The principal's notes were about what students said and did, and "
        "each teacher had them within the hour.",
        "The principal's feedback to the {grade} teacher was one praise, one question and one next step, and ended "
        "with a date to come back.",
        "I watched a post-observation talk about {subject}. The teacher did most of the talking; the principal's "
        "questions led to the students who had been silent.",
        "The walkthrough calendar was kept nine weeks out of ten. Teachers told me that they look forward to the "
        "visits.",
    ),
    7: (
        "Exit tickets, a performance task and a short quiz: the {grade} team could say what each was good for.",
        "The principal asked the {subject} team what a student can show that the unit test does not see.",
        "Two common assessments were dropped because nobody had used the results. The principal had asked for "
        "the list.",
    ),
    8: (
        "In the data meeting the principal waited until each teacher had named one student and one next lesson "
        "before moving to averages.",
        "The {subject} team sorted the wrong answers by the thinking behind them and planned Monday from the piles.",
        "Three years of {grade} results were broken down by skill. The plan that followed names who teaches what "
        "again, and when we look once more.",
    ),
    9: (
        "Professional learning began with the teachers' own questions and ended in their classrooms, not in a slide.",
        "The principal paired a veteran of twenty years with a first-year {subject} teacher, and gave both the "
        "cover to watch each other.",
        "The adult learning plan has choice in it, and time. Staff rated it the most useful hour of the month.",
    ),
    10: (
        "We walked the building with the head custodian. Every repair on the principal's list had a date, and the "
        "playground gate was mended the same day.",
        "The safety drill took six minutes and the debrief took twenty. Two routes were changed on the spot.",
    ),
    11: (
        "Arrival took nine minutes and felt calm. In September it took twenty. The new routine was written by the "
        "teachers on duty.",
        "The master schedule now gives the {grade} team a common planning hour. The principal showed me what it "
        "cost and who had agreed.",
    ),
    12: (
        "I joined the interviews for the opening in {subject}. Every candidate taught for ten minutes, and the rubric "
        "was filled in before anybody spoke.",
        "The hiring team went through the questions with the district's counsel first. The principal could say why "
        "three of them had to go.",
    ),
    13: (
        "The handbook became four pages. Staff know what is expected and what they can expect in return.",
        "A disagreement about duty times was settled by the written procedure, calmly and within a day.",
    ),
    14: (
        "The support plan for one teacher has visits, models and a date. The principal has kept every one of them.",
        "The principal named what has to change, offered two colleagues' rooms to learn from, and wrote down what "
        "was agreed.",
    ),
    15: (
        "Evaluation records are complete, signed and locked away. The principal explained who may see what.",
        "The mid-year reports went in on time; each says what was seen and not what was felt.",
    ),
    16: (
        "The budget was explained to staff on one page, with the three goals that it serves and what was cut.",
        "Title funds follow the reading plan to the dollar. The principal knew the rule behind each line.",
    ),
    17: (
        "A retired engineer, the library and the community college give forty hours a week between them. The "
        "principal keeps a map of who gives what.",
        "Two rooms, one bus and a volunteer schedule were shifted so that the {grade} intervention group could meet "
        "every day.",
    ),
}
PLAIN_SCENES: Final = (
    "I followed the principal through a whole morning. What was said in the staff meeting was what I saw in the "
    "hallways.",
    "At family night the principal listened for forty minutes, wrote down seven questions and answered five of "
    "them before the evening ended.",
    "A student who had been sent to the office left it with a plan and a handshake.",
    "The leadership team ran its own meeting. The principal asked two questions and took one task.",
    "The principal described a decision that went wrong in the fall, what was learnt from it and what is done "
    "otherwise now.",
    "A group of {grade} students showed us the garden that they had asked for. They knew who had said yes, and why.",
    "The partnership with the neighborhood clinic is in its second year; the nurse and the principal went through "
    "the numbers together.",
    "Visitors from a neighboring district asked hard questions. The principal answered with what had been tried, "
    "also where it had failed.",
    "The {subject} department brought a proposal of its own. The principal asked who it would serve first.",
    "After the storm the principal called every family that was without power by noon.",
)
OPENINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "Learning Labs": (
        "Learning lab of the {region} region, hosted at {school}.",
        "Fourth learning lab of the year, {region}.",
        "At the {region} learning lab, in {subject} classrooms of {school}.",
    ),
    "District Push-In": (
        "Push-in visit to {school}, about two hours.",
        "Half a day at {school}.",
        "Morning visit to {school}; three classrooms and a talk in the office.",
    ),
    "One-to-One Mentoring / Coaching": (
        "Coaching talk in the principal's office at {school}, after a walk through the building.",
        "One-to-one session, {school}.",
    ),
    "Regional Meetings": ("Regional meeting of {region}.", "{region} regional meeting, afternoon group."),
    "Retreats": ("Summer retreat of the {region} region.", "Second day of the {region} retreat."),
    "Conferences": ("State conference, session led by the principal of {school}.",),
    "Online Events": ("Online event of the {region} region.", "Evening session online, {region}."),
}
CLOSINGS: Final = (
    "We agreed to look at the same thing again before the end of the quarter.",
    "Next time I should like to see how the team carries this on without the principal in the room.",
    "This is further than where we were in the fall.",
    "There is more to do, and the principal named it first.",
    "I left a copy of my notes.",
    "A good visit.",
    "The staff noticed, and said so.",
    "We did not get to the second topic and will start with it.",
)
FEEDBACK: Final = (
    "You named the goal before the lesson and came back to it after. What would it take for the {grade} team to do "
    "that without you?",
    "Your questions got longer when you were unsure. Try one short question, and then wait.",
    "I counted eleven times when you pointed to student work. That is the practice we talked about. Keep it.",
    "The plan is sound. What I miss is the date on which we shall know whether it works.",
    "You gave the {subject} team the evidence and then the room to decide. Please write down how you prepared that "
    "meeting, since others will ask.",
    "Two voices filled most of the meeting. Who has not been heard, and how will you know?",
    "The routine holds on the days when you are here. Let us plan for a day when you are not.",
    "I saw the change you promised in October. The next step is to let a teacher lead it.",
)
RESPONSES: Final = (
    "I asked the {grade} team lead to run the next one. I shall sit at the back and take notes.",
    "Fair. I tried the waiting on Tuesday, and a teacher who never speaks gave us the best idea of the day.",
    "I have put the date into the plan and told the team: the last Friday before the break.",
    "I had not seen that. I went back to my notes and you are right about the two voices.",
    "We rewrote the routine with the paraprofessionals. The first week without me went well.",
    "Thank you. I am writing it up as a one-page guide for the {subject} department.",
    "I disagree on one point: the schedule was the staff's own wish. On the rest I have started.",
    "I shall bring the student work to our next session, so that we look at the same thing.",
)
ARTIFACTS: Final[Mapping[str, tuple[str, ...]]] = {
    "pdf": (
        "Walkthrough notes and follow-up",
        "Vertical alignment map",
        "Professional learning plan",
        "Staff meeting agenda and minutes",
        "School improvement plan, second draft",
        "Family survey, summary and next steps",
        "Data meeting protocol",
        "Hiring rubric",
    ),
    "png": (
        "Attendance by month",
        "Walkthroughs by week",
        "Benchmark results by grade",
        "Referrals by hour of the day",
        "Survey answers by question",
    ),
    "txt": ("Coaching log", "Notes from the listening sessions"),
}
ARTIFACT_LINES: Final = (
    "What we set out to do: every teacher is visited and hears back within two days.",
    "What we did: 38 visits in nine weeks, 36 of them with a written note.",
    "What students did: more of them explained their thinking, by our count twice as many.",
    "What we learnt: short notes are read, long ones are not.",
    "Who took part: the leadership team, the {grade} teachers, two families.",
    "What comes next: teachers visit each other, once a month, with the same one-page form.",
    "What we stopped doing: the weekly report that nobody used.",
    "Open question: how do we keep this going in the months before the state assessment?",
    "Evidence: student work samples from {subject}, without names.",
    "Agreed by the building leadership team.",
)
RETRACTIONS: Final = (
    "Entered for the wrong principal; the visit was at a neighboring school.",
    "I judged the wrong row of my notes. Recorded anew with the level that I saw.",
    "The date was wrong by a week. Recorded anew.",
    "This was a practice entry from the training session.",
)
DISPUTES: Final = (
    "The visit ended after fifteen minutes because of the fire alarm. I do not think that it shows what is written.",
    "The lesson described was not in my building that day.",
    "I see this level differently: the team had been leading the meetings for two months by then.",
    "The note leaves out that the assistant principal ran this meeting, not I.",
)
