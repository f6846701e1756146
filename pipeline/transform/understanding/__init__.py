"""From a clean posting to what it says: role, skills, pay, place, workplace and terms."""
