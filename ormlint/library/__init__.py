"""What frameworks do to the database: tables of methods, and stub programs below `programs/`."""
