#!/usr/bin/env python
from shelf.admin import main

if __name__ == "__main__":
    main(prog_name="manage.py")
