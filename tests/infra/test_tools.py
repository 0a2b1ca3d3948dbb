"""Real tools are built from pins that were reviewed, once, and only where they are missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deployments.tools.build import BuildFailedError, ensure_family, is_built
from deployments.tools.families import Family, find_tool, read_families, read_family

GO_MOD = """module example.invalid/tools

go 1.26

tool (
	example.com/db/server/v3 // dbserver
	example.com/ctl
)

require example.com/db v3.1.4

require (
	example.com/ctl v1.2.3
	example.com/other v0.1.0 // indirect
)
"""
FAKE_GO = """#!/bin/sh
echo "$@" >> "$CALLS"
for argument; do
  [ "$previous" = -o ] && echo "#!/bin/sh" > "$argument" && chmod +x "$argument"
  previous=$argument
done
exit ${GO_EXIT:-0}
"""


@pytest.fixture
def family(tmp_path: Path) -> Family:
    folder = tmp_path / "db"
    folder.mkdir()
    (folder / "go.mod").write_text(GO_MOD)
    (folder / "ldflags").write_text("-X main.version={example.com/db}\n")
    return read_family(folder)


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "go"
    program.write_text(FAKE_GO)
    program.chmod(0o755)
    (tmp_path / "calls").touch()
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return program


def test_a_family_names_its_programs_and_gives_the_linker_pinned_versions(family: Family) -> None:
    assert [tool.name for tool in family.tools] == ["dbserver", "ctl"]
    assert [tool.package for tool in family.tools] == [
        "example.com/db/server/v3",
        "example.com/ctl",
    ]
    assert family.ldflags == "-X main.version=v3.1.4"


def test_a_build_is_done_once_and_again_when_a_pin_changes(
    family: Family, go: Path, tmp_path: Path
) -> None:
    calls, built = tmp_path / "calls", tmp_path / "bin"

    ensure_family(family, bin_folder=built, go=str(go))
    ensure_family(family, bin_folder=built, go=str(go))
    assert len(calls.read_text().splitlines()) == len(family.tools)

    newer = GO_MOD.replace("db v3.1.4", "db v3.1.5")
    (family.folder / "go.mod").write_text(newer)
    changed = read_family(family.folder)
    assert not is_built(changed.tools[0], family=changed, bin_folder=built)
    ensure_family(changed, bin_folder=built, go=str(go))
    assert "-X main.version=v3.1.5" in calls.read_text().splitlines()[-1]


def test_a_tool_on_path_is_used_as_it_is(
    family: Family, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "installed"
    installed.mkdir()
    (installed / "ctl").touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{installed}{os.pathsep}{os.environ['PATH']}")

    ensure_family(family, bin_folder=tmp_path / "bin", go=str(go))

    assert sorted(p.name for p in (tmp_path / "bin").glob("[!.]*")) == ["dbserver"]


def test_a_tool_whose_version_decides_is_built_whatever_is_on_path(
    family: Family, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed, built = tmp_path / "installed", tmp_path / "bin"
    installed.mkdir()
    (installed / "ctl").touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{installed}{os.pathsep}{os.environ['PATH']}")
    (family.folder / "exact").write_text("its texts differ from release to release\n")
    exact = read_family(family.folder)

    assert find_tool("ctl", bin_folder=built, families=tmp_path) is None
    ensure_family(exact, bin_folder=built, go=str(go))

    assert find_tool("ctl", bin_folder=built, families=tmp_path) == built / "ctl"


def test_without_go_nothing_is_built_and_the_reason_is_said(
    family: Family, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_family(family, bin_folder=tmp_path / "bin", go=None)

    assert "Go is not installed" in capsys.readouterr().out
    assert not (tmp_path / "bin").exists()


def test_a_failed_build_is_an_error_and_is_tried_again(
    family: Family, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GO_EXIT", "1")

    with pytest.raises(BuildFailedError, match="dbserver: `go build` ended with code 1"):
        ensure_family(family, bin_folder=tmp_path / "bin", go=str(go))

    assert not is_built(family.tools[0], family=family, bin_folder=tmp_path / "bin")


def test_ldflags_cannot_name_a_module_that_is_not_pinned(family: Family) -> None:
    (family.folder / "ldflags").write_text("-X main.version={example.com/absent}")

    with pytest.raises(ValueError, match=r"example\.com/absent, which go\.mod does not require"):
        read_family(family.folder)


def test_every_family_of_the_project_has_checksums_for_what_it_pins() -> None:
    families = read_families()

    assert {tool.name for family in families for tool in family.tools} >= {
        "pulumi",
        "etcd",
        "kube-apiserver",
        "kubectl",
        "prometheus",
        "promtool",
    }
    for family in families:
        sums = (family.folder / "go.sum").read_text()
        assert all(" h1:" in line for line in sums.splitlines()), family.name


def test_a_script_of_a_module_is_put_beside_the_programs_as_it_is(
    family: Family, tmp_path: Path
) -> None:
    module, built = tmp_path / "module", tmp_path / "bin"
    (module / "cmd").mkdir(parents=True)
    (module / "cmd" / "run-it").write_text("#!/bin/sh\n")
    built.mkdir()
    (family.folder / "scripts").write_text("example.com/ctl cmd/run-it\n")
    pinned = read_family(family.folder)
    go = tmp_path / "go-mod"
    go.write_text(f'#!/bin/sh\n[ "$1" = mod ] && echo \'{{"Dir": "{module}"}}\'\nexit 0\n')
    go.chmod(0o755)
    for tool in pinned.tools:
        (built / tool.name).touch()
        (built / f".{tool.name}.fingerprint").write_text(pinned.fingerprint)
    ensure_family(pinned, bin_folder=built, go=str(go))

    assert (built / "run-it").read_text() == "#!/bin/sh\n"
    assert os.access(built / "run-it", os.X_OK)
    assert pinned.fingerprint == family.fingerprint


def test_a_script_of_a_module_that_is_not_pinned_is_refused(family: Family) -> None:
    (family.folder / "scripts").write_text("example.com/none cmd/run-it\n")

    with pytest.raises(ValueError, match=r"scripts name example.com/none"):
        read_family(family.folder)
