"""The publication of one file: each result as it comes, what waits for a person's word, and the tally of all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from signal_exchange.municipality.publishing.importing import Line
from signal_exchange.municipality.publishing.publisher import Publisher
from signal_exchange.municipality.publishing.reject_file import RejectFile
from signal_exchange.municipality.publishing.submissions import Outcome, Result
from signal_exchange.municipality.publishing.tally import Tally
from signal_exchange.municipality.publishing.wording import faults_text


@dataclass(slots=True)
class FilePublication:
    """Publishes the lines of one file. `asking` are the results of what a person must confirm first: they are not counted yet."""

    publisher: Publisher
    rejects: RejectFile
    tally: Tally
    asking: list[Result] = field(default_factory=list)

    def results(self, lines: Iterable[Line], *, changes: bool) -> Iterator[Result]:
        """Publish what may go, and give each result in order, also of what asks. With `changes` nothing asks."""
        for result in self.publisher.publish(lines, changes=changes):
            if result.asks:
                self.asking.append(result)
            else:
                self._count(result)
            yield result

    def settle(self, meant: Collection[Result]) -> Iterator[Result]:
        """Publish those that a person meant, leave the others alone, and give the result of each that asked."""
        for result in self.publisher.publish(result.line for result in meant):
            self._count(result)
            yield result
        confirmed = {result.line.number for result in meant}
        for result in (each for each in self.asking if each.line.number not in confirmed):
            self._count(result)
            yield result

    def _count(self, result: Result) -> None:
        self.tally.take(result)
        if result.outcome is Outcome.REFUSED:
            self.rejects.add(result, faults_text(result))
