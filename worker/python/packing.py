"""Builds wheel and source archive of this folder: a build backend (PEP 517, PEP 660) of the standard library."""

import base64
import hashlib
import io
import pathlib
import re
import tarfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
TAG = "py3-none-any"


def _project():
    """The [project] table; all of its values are plain strings. (tomllib came with Python 3.11.)"""
    table = (HERE / "pyproject.toml").read_text(encoding="utf-8").partition("[project]\n")[2]
    return dict(re.findall(r'^([a-z-]+) = "(.*)"$', table, re.MULTILINE))


def _name():
    project = _project()
    return f"{project['name']}-{project['version']}"


def _metadata():
    project = _project()
    return (
        "Metadata-Version: 2.1\n"
        f"Name: {project['name']}\n"
        f"Version: {project['version']}\n"
        f"Summary: {project['description']}\n"
        f"Requires-Python: {project['requires-python']}\n"
        f"License: {project['license']}\n"
        "Description-Content-Type: text/markdown\n"
        "\n" + (HERE / project["readme"]).read_text(encoding="utf-8")
    )


def _package():
    return {path.relative_to(HERE).as_posix(): path.read_bytes()
            for path in sorted((HERE / "corral").rglob("*")) if path.suffix in (".py", ".typed")}  # fmt: skip


def _write_wheel(folder, files):
    info = f"{_name()}.dist-info"
    files[f"{info}/METADATA"] = _metadata().encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: packing\nRoot-Is-Purelib: true\nTag: {TAG}\n".encode()
    record = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(content)}\n")
    files[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"]).encode()
    wheel = f"{_name()}-{TAG}.whl"
    with zipfile.ZipFile(pathlib.Path(folder, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # One date for every file: the same source gives the same wheel.
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _write_wheel(wheel_directory, _package())


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _write_wheel(wheel_directory, {"corral.pth": f"{HERE}\n".encode()})


def build_sdist(sdist_directory, config_settings=None):
    files = {name: (HERE / name).read_bytes() for name in ("pyproject.toml", "README.md", "packing.py")}
    files.update(_package())
    files["PKG-INFO"] = _metadata().encode()
    name = f"{_name()}.tar.gz"
    with tarfile.open(pathlib.Path(sdist_directory, name), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(f"{_name()}/{path}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return name
