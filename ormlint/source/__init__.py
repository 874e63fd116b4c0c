"""From a directory to the files of a program: project root, discovery, module names, languages, roles."""
