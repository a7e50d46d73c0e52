// The page for checking badges works without this. Here: a badge can be dropped anywhere on the page, what was
// chosen is named, and the button tells that work is under way.
"use strict";

const form = document.getElementById("verify");
const drop = document.getElementById("drop");
const input = document.getElementById("file");
const chosen = document.getElementById("chosen");
const send = document.getElementById("send");

// Where the answer stands, so that nobody has to look for it; browsers do not all honour autofocus after a form.
const answer = document.querySelector("#results [autofocus], #fault");
if (answer) {
  answer.focus();
}

document.querySelector(".drop-words").textContent = "Drop a badge file here, or choose one";
drop.classList.add("can-drop");

function names(files) {
  const all = Array.from(files, (file) => file.name);
  return all.length > 3 ? all.length + " files chosen" : all.length ? "Chosen: " + all.join(", ") : "";
}

input.addEventListener("change", () => {
  chosen.textContent = names(input.files);
});

function carriesFiles(event) {
  return event.dataTransfer && Array.from(event.dataTransfer.types).includes("Files");
}

// A file dropped beside the frame must not make the browser leave the page for it.
document.addEventListener("dragover", (event) => {
  if (carriesFiles(event)) {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    drop.classList.add("over");
  }
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) {
    drop.classList.remove("over");
  }
});
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) {
    return;
  }
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files.length) {
    input.files = event.dataTransfer.files;
    chosen.textContent = names(input.files);
    form.requestSubmit();
  }
});

form.addEventListener("submit", () => {
  send.textContent = "Checking …";
  form.setAttribute("aria-busy", "true");
});

// Back in history: the page as it was left, with the button as it was.
window.addEventListener("pageshow", () => {
  send.textContent = "Check";
  form.removeAttribute("aria-busy");
});
