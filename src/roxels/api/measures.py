"""What `/metrics` shows beside requests: counted where it became durable, by this process since it started."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

#: Counter, label, what it counts. The names are the first halves of `Store.counts`.
COUNTED = {
    "events": ("type", "Facts kept, by type: session.started, person.said, agent.said (a turn), goal.committed, …"),
    "attempts": ("outcome", "Attempts to deliver that were settled, by what became of the delivery."),
    "identity_tokens_refused": ("reason", "Identity tokens that did not hold, by what was wrong with them."),
    "log_lines": ("level", "Log lines, by level."),
}
GAUGES = {
    "conversations_awake": "Conversations that somebody attends in this process at this moment.",
    "listeners": "Connections that listen in this process at this moment.",
}


class Measures(Collector):
    """Reads the numbers when it is asked for them."""

    def __init__(
        self, counts: Callable[[], Mapping[tuple[str, str], int]], gauges: Callable[[], Mapping[str, int]]
    ) -> None:
        """`counts`: by (name, label); `gauges`: by name."""
        self._counts = counts
        self._gauges = gauges

    def describe(self) -> Iterable[Metric]:
        """Nothing to say before the first reading."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The numbers as they stand."""
        counts, gauges = dict(self._counts()), self._gauges()
        for name, (label, what) in COUNTED.items():
            family = CounterMetricFamily(f"roxels_{name}", what, labels=[label])
            for (_, value), count in sorted(each for each in counts.items() if each[0][0] == name):
                family.add_metric([value], count)
            yield family
        for name, what in GAUGES.items():
            yield GaugeMetricFamily(f"roxels_{name}", what, value=gauges[name])
