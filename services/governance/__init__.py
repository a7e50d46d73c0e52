"""Who is who, and what the Commission decides. Owns people, roles, assignments and the opening of dossiers."""
