"""The controller as a running service: asynchronous around the engine, which is not.

Reading order: `controller` (what is asked of it); `writers` (a bounded queue, group commit, answers after the commit)
and `readers`; `polls` (which waiting poll is woken by which commit); `timer` (what time does) and `stalls` (attempts
that keep still); `bulk`, `numbers`, `ids`; `opening` (how it is made from the settings).
"""

from milepost_collector.controller.service.controller import Controller
from milepost_collector.controller.service.numbers import Numbers
from milepost_collector.controller.service.opening import open_controller
from milepost_collector.controller.service.stalls import Activity

__all__ = ["Activity", "Controller", "Numbers", "open_controller"]
