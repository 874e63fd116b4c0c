"""Only when the program is linked it is known whether a model that the configuration names is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

MODELS = "from django.db import models\n\n\nclass Ward(models.Model):\n    name = models.TextField()\n"


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "clinic").mkdir()
    (tmp_path / "clinic/__init__.py").touch()
    (tmp_path / "clinic/models.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("clinic.Wrd", "; did you mean `clinic.Ward`?"),
        ("Wrad", "; did you mean `Ward`?"),
        ("clinic.ward", "; did you mean `clinic.Ward`?"),
        ("x.Y", ""),
    ],
)
def test_an_unknown_model_is_an_error_that_names_the_nearest(clinic: Path, run: Run, given: str, hint: str) -> None:
    (clinic / "ormlint.toml").write_text(f'small-models = ["{given}"]\n')
    done = run("check")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"ormlint: error: {clinic / 'ormlint.toml'}: small-models: the project has no model `{given}`{hint}\n"


@pytest.mark.parametrize("given", ["Ward", "clinic.Ward", "auth.Permission"])
def test_a_model_of_the_project_or_of_django_is_known(clinic: Path, run: Run, given: str) -> None:
    (clinic / "ormlint.toml").write_text(f'small-models = ["{given}"]\n')
    done = run("check")
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_model_may_be_in_a_file_that_cannot_be_read(clinic: Path, run: Run) -> None:
    (clinic / "ormlint.toml").write_text('small-models = ["clinic.Wrd"]\n')
    (clinic / "clinic/more.py").write_text("class Wrd(models.Model:\n")
    done = run("check")
    assert done.exit_code == 1
    assert "warning" in done.stderr
    assert "small-models: the project has no model `clinic.Wrd`; did you mean `clinic.Ward`?" in done.stderr


def test_a_configuration_for_several_projects_names_models_of_all_of_them(clinic: Path, run: Run) -> None:
    (clinic / "shared").mkdir()
    (clinic / "shared/ormlint.toml").write_text('small-models = ["shop.Order"]\n')
    (clinic / "manage.py").touch()
    done = run("check", "--config", "shared/ormlint.toml")
    assert done.exit_code == 0
    assert "no model `shop.Order`" in done.stderr
