import time
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime


def moment(epoch):
    return time.strftime("%A, %d. %B %Y %H:%M %z", time.localtime(epoch))


def elsewhere(epoch, zone):
    return format_datetime(datetime.fromtimestamp(epoch, ZoneInfo(zone)), "EEEE d MMMM y H:mm", locale="fr_CA")
