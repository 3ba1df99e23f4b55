import argparse
from importlib.resources import files

from dateutil import parser as dates


def main():
    cli = argparse.ArgumentParser(prog="agenda")
    cli.add_argument("day", nargs="?", help="a day in any form")
    given = cli.parse_args()
    holidays = dict(line.split(" ", 1) for line in files("agenda").joinpath("holidays.txt").read_text().splitlines())
    if given.day:
        day = dates.parse(given.day).strftime("%m-%d")
        print(holidays.get(day, "a working day"))
    else:
        print("\n".join(sorted(holidays.values())))
