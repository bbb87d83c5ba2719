"""The numbers as Prometheus reads them. The only module that knows prometheus-client.

Nothing is kept between two looks: each builds its families from the counters and from what is read at that
moment. docs/metrics.md lists them all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from app.metrics.counters import Counters, Distribution, Readings

# Memory, processor time, open files and how many may be: what a long run is judged by.
_PROCESS = ProcessCollector(registry=None)

_OPEN_METRICS = "application/openmetrics-text"
_T = TypeVar("_T")
Samples = Iterable[tuple[Sequence[str], _T]]
"""Values of the labels, and the value itself."""


def encode(counters: Counters, readings: Readings, accept: str) -> tuple[bytes, str]:
    """The whole exposition, as OpenMetrics where the header `accept` names it, and its content type."""
    # Not the header itself: the library chokes on a version that is no number.
    build, content_type = choose_encoder(_OPEN_METRICS if _OPEN_METRICS in accept else "")
    return build(_Exposition(counters, readings)), content_type


class _Exposition(Collector):
    def __init__(self, counters: Counters, readings: Readings) -> None:
        self._counters = counters
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        counters, now = self._counters, self._readings
        yield _count("requests", "Requests that are over.", ("route", "outcome"), counters.requests.items())
        yield _spread("request_seconds", "From head to end.", ("route",), _by(counters.request_seconds))
        yield _spread(
            "first_delta_seconds", "From head to the first text.", (), _one(counters.first_delta_seconds)
        )
        yield _count("frames", "Frames of answers that are over.", (), _one(counters.frames))
        yield _gauge("open_streams", "Answers that are open or awaited.", (), _one(now.open_streams))
        yield _gauge("queue_length", "Requests that wait for an account.", (), _one(now.queue_length))
        yield _spread(
            "queue_seconds", "Waiting for an account, in vain too.", (), _one(counters.queue_seconds)
        )
        yield _gauge("accounts", "Accounts that were seen lately.", ("state",), _by(now.accounts))
        yield _count("refreshes", "Access tokens that were asked for.", ("outcome",), _by(counters.refreshes))
        yield _count("cool_downs", "Accounts that were put to rest.", ("reason",), _by(counters.cool_downs))
        yield _count(
            "upstream_errors", "Tries for an answer that failed.", ("code",), _by(counters.upstream_errors)
        )
        yield _gauge("undeleted_conversations", "Those the upstream still has.", (), _one(now.undeleted))
        yield _gauge("overdue_conversations", "Those that should be gone.", (), _one(now.overdue))
        yield _count(
            "tool_calls", "Tool calls that clients got.", ("route", "form"), counters.tool_calls.items()
        )
        yield _count("answer_checks", "What was found in answers.", ("finding",), _by(counters.answer_checks))
        yield _count("healings", "Cut answers asked to go on.", ("outcome",), _by(counters.healings))
        in_memory = int(now.state_in_memory)
        yield _gauge("state_in_memory", "1 while a restart would forget.", (), _one(in_memory))
        yield _count(
            "unknown_content",
            "What the upstream sent and is unknown here.",
            ("what", "name"),
            now.unknown_contents.items(),
        )
        yield from _PROCESS.collect()


def _one(value: _T) -> Iterator[tuple[tuple[str, ...], _T]]:
    """A family without labels."""
    yield (), value


def _by(values: Mapping[str, _T]) -> Iterator[tuple[tuple[str, ...], _T]]:
    """A family with one label."""
    return (((name,), value) for name, value in values.items())


def _count(name: str, meaning: str, labels: Sequence[str], samples: Samples[int]) -> Metric:
    family = CounterMetricFamily(f"glm_{name}", meaning, labels=labels)
    for values, count in samples:
        family.add_metric(values, count)
    return family


def _gauge(name: str, meaning: str, labels: Sequence[str], samples: Samples[int]) -> Metric:
    family = GaugeMetricFamily(f"glm_{name}", meaning, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _spread(name: str, meaning: str, labels: Sequence[str], samples: Samples[Distribution]) -> Metric:
    family = HistogramMetricFamily(f"glm_{name}", meaning, labels=labels)
    for values, distribution in samples:
        buckets = [(_write_bound(bound), count) for bound, count in distribution.cumulate()]
        family.add_metric(values, buckets, distribution.total)
    return family


def _write_bound(bound: float) -> str:
    return "+Inf" if bound == math.inf else str(bound)
