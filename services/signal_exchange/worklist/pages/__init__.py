"""The screens of a worklist: they read a form, call an action and choose a template."""
