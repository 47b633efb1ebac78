"""`anonymizer devices` and `anonymizer doctor`: what is there, what is missing, and what mends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from anonymizer import cli
from anonymizer.errors import AnonymizerError

MARKS = {"ok": "ok   ", "note": "note ", "fault": "FAULT"}


@click.command()
@cli.AS_JSON
@click.pass_obj
def devices(call: cli.Call, /) -> None:
    """List cameras and virtual cameras, and the commands for what is missing."""
    from anonymizer.devices.listing import list_devices

    found = list_devices()
    if call.as_json:
        cli.show(call, found)
        return
    click.echo("cameras (--camera):")
    for camera in found.cameras:
        click.echo(f"  {camera.name}  [{camera.place}]" + (f"  {camera.problem}" if camera.problem else ""))
    click.echo("virtual cameras (--device):")
    for virtual in found.virtual_cameras:
        click.echo(f"  {virtual.name}  [{virtual.place}]  {virtual.state}")
    for sentence in found.missing:
        click.echo(f"\n{sentence}")
    for command in found.commands:
        click.echo(f"  {command}")


@click.command()
@cli.with_flags(cli.RUN_FLAGS)
@click.pass_obj
def doctor(call: cli.Call, /, config: Path | None, **flags: Any) -> int:
    """Check models, speed, cameras, virtual camera and window. Exit code 1 when live cannot work."""
    from anonymizer.devices.doctor import examine

    findings = []
    for finding in examine(cli.chosen_settings(config, flags)):
        findings.append(finding)
        if not call.as_json:
            click.echo(f"{MARKS[finding.health]}  {finding.name}: {finding.words}")
            for line in finding.advice:
                click.echo(f"         {line}")
    if call.as_json:
        cli.show(call, {"findings": findings})
    return AnonymizerError.exit_code if any(each.health == "fault" for each in findings) else 0
