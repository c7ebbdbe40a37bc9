"""The screens of a municipality: they read a form, call an action and choose a template."""
