"""The names, options and help of the commands for deliverables, which belong to `milepost task`; see `deliverables`."""

from __future__ import annotations

from pathlib import Path

import click

from milepost_collector.cli.options import endpoint_option, json_option

task_argument = click.argument("task_id", metavar="TASK")


@click.command()
@task_argument
@endpoint_option
@click.option(
    "--download", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Save them."
)
@click.option("--name", "names", multiple=True, help="Only this one; may be repeated.")
@click.option("--version", type=click.IntRange(min=1), help="Of one --name: this version instead of the newest.")
@click.option("--all", "all_versions", is_flag=True, help="List every version.")
@json_option
def deliverables(
    endpoint: str,
    task_id: str,
    folder: Path | None,
    names: tuple[str, ...],
    version: int | None,
    all_versions: bool,
    as_json: bool,
) -> None:
    """List what a task handed over, and what it still has to; or save it.

    A file is there once it is complete and its SHA-256 is right; one of the same name is replaced.

    \b
    Examples:
      milepost task deliverables 3f9a2c1b
      milepost task deliverables 3f9a2c1b --download reports
      milepost task deliverables 3f9a2c1b --download . --name report.pdf --version 1
    """
    from milepost_collector.cli.deliverables import download_deliverables, list_deliverables

    if version is not None and (folder is None or len(names) != 1):
        raise click.UsageError("--version goes with --download and one --name")
    if folder is None:
        list_deliverables(endpoint, task_id, names, all_versions=all_versions, as_json=as_json)
    else:
        download_deliverables(endpoint, task_id, folder, names, version, as_json=as_json)


@click.command()
@task_argument
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@endpoint_option
@click.option("--name", help="Of one FILE: another name than the file's.")
@click.option("--type", "type_", help="What kind of thing it is, as report.  [default: file]")
@click.option("--content-type", help="Its media type.  [default: by the name]")
@json_option
def attach(
    endpoint: str,
    task_id: str,
    files: tuple[Path, ...],
    name: str | None,
    type_: str | None,
    content_type: str | None,
    as_json: bool,
) -> None:
    """Attach files to a task, by hand. The same file again changes nothing, another content is the next version.

    \b
    Examples:
      milepost task attach 3f9a2c1b revenue.pdf --type report
    """
    from milepost_collector.cli.deliverables import attach_files

    if name is not None and len(files) != 1:
        raise click.UsageError("--name goes with one FILE")
    attach_files(endpoint, task_id, files, name=name, type=type_, content_type=content_type, as_json=as_json)


@click.command()
@endpoint_option
@json_option
def collect(endpoint: str, as_json: bool) -> None:
    """Remove contents of deliverables that nothing refers to any more; a collector does that once an hour by itself.

    What has come to be unneeded within the last hour stays.

    \b
    Examples:
      milepost task collect
    """
    from milepost_collector.cli.deliverables import collect_garbage

    collect_garbage(endpoint, as_json=as_json)
