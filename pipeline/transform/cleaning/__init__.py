"""From a staged row to a posting that is understood: text, place, pay, role and skills."""
