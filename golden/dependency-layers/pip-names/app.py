import markupsafe
