"""Where the pictures come from: a download, folders of files, or drawings made here."""
