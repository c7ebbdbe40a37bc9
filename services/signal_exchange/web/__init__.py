"""The kit of the screens: log-ins, forms, templates and headers. What a page shows and does is its service's."""
