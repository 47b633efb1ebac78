"""`--record` for the verbs that write files, and `anonymizer verify-record`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from anonymizer.settings import Settings

PATH = click.Path(path_type=Path)
EXIT_DIFFERENT = 8
Command = Callable[..., Any]
RECORD_FLAGS: tuple[Command, ...] = (
    click.option("--record", type=PATH, help="Write a signed record of the run: what ran, and what came of it."),
    click.option("--record-key", type=PATH, help="File with the key that signs records; links them. Default: one use."),
)


@dataclass(frozen=True, slots=True)
class Recording:
    """What the two flags ask for; called with the settings and the reports when the work is done."""

    record: Path | None
    key: Path | None

    @classmethod
    def taken_from(cls, flags: dict[str, Any]) -> Recording:
        """Takes its flags out of `flags`, and checks before the work begins that the record can be written."""
        from anonymizer.adapters.safe_write import check_target
        from anonymizer.errors import ConfigError

        record, key = flags.pop("record", None), flags.pop("record_key", None)
        if record is not None:
            check_target(record, [], overwrite=True)
        elif key is not None:
            raise ConfigError("--record-key without --record signs nothing; say with --record where the record goes")
        return cls(record, key)

    def __call__(self, settings: Settings, reports: Sequence[Any]) -> None:
        """reports: of videos or photos, as `anonymizer.app` gives them."""
        if self.record is None:
            return
        from anonymizer.record import Written, write_record

        write_record(self.record, self.key, settings, [_written(report, Written) for report in reports])


def _written(report: Any, kind: Any) -> Any:
    verdicts = getattr(report, "verdicts", None)
    if verdicts is not None:
        counts, failures = {v.value: n for v, n in verdicts.items()}, report.failures
    else:
        counts, failures = {report.verdict.value: 1}, int(report.failure is not None)
    return kind(report.output, counts, failures)


@click.command(name="verify-record", epilog="Exit codes: as ever, and 8 when something does not match.")
@click.argument("record", metavar="RECORD", type=PATH)
@click.argument("outputs", metavar="[OUTPUT]...", type=PATH, nargs=-1)
@click.option("--signed-by", help="The public key it must be signed with, as verify-record shows it.")
def verify(record: Path, outputs: tuple[Path, ...], signed_by: str | None) -> int:
    """Check a record of `--record`: is it unchanged, are OUTPUTs its files, are the model files the same as here?"""
    from anonymizer.record import verify_record

    found = verify_record(record, outputs, signed_by)
    content = found.content
    click.echo(f"the signature fits; signed by {found.public_key}")
    click.echo(f"anonymizer {content['build']['version']}, {len(content['outputs'])} file(s)")
    for output in content["outputs"]:
        counts = ", ".join(f"{name} {count}" for name, count in output["verdicts"].items() if count)
        click.echo(f"{output['sha256'][:16]}…: {counts}, failures {output['failures']}")
    for difference in found.differences:
        click.echo(f"different: {difference}")
    return EXIT_DIFFERENT if found.differences else 0
