"""The keys of stages in a copy of the project, before and after its files are changed: `python keys_of_a_copy.py COPY`.

Reads changes from stdin as JSON, `[[path, text before, text after], ...]`; `""` before appends, None after removes.
"""

import importlib.metadata
import json
import sys
from functools import cache
from pathlib import Path

COPY = Path(sys.argv[1])
sys.path.insert(0, str(COPY))

from aigc_models.find import names  # noqa: E402
from tasks.clean.clean import CleanSettings, clean  # noqa: E402
from tasks.ingest.source import SourceSettings, reading_code  # noqa: E402
from tasks.judge.evaluate import EvaluationSettings, evaluate  # noqa: E402
from tasks.stage import code_version  # noqa: E402
from tasks.stage.references import CorpusRef, EnsembleRef, ModelRef, RawRef  # noqa: E402
from tasks.train.finetune import finetune  # noqa: E402
from tasks.train.members import MemberSettings  # noqa: E402

code_version.source_of = cache(code_version.source_of)  # files that stay are not parsed again
FAMILIES = {"image": ("gan", "vae", "mixture"), "text": ("rnn", "ngram", "average")}


def keys() -> dict[str, str]:
    for cached in (names, code_version.source_file, code_version.parsed):
        cached.cache_clear()
    by_stage = {}
    for modality, (family, other, method) in FAMILIES.items():
        fields = {"outputs": ("x",), "sha256": "d", "modality": modality}
        data = CorpusRef(dataset="x", version="v", labels=(), format={}, splits={}, **fields)
        members = [ModelRef(name=name, family=name, params=1, **fields) for name in (family, other)]
        ensemble = EnsembleRef(method=method, weights={}, **fields)
        given = {"data": data, "ensemble": ensemble, "members": members, "baseline": members[1], "champion": None}
        by_stage[f"evaluate {modality}"] = evaluate.key({**given, "settings": EvaluationSettings()})
        for name in (family, other):
            by_stage[name] = finetune.key({"data": data, "body": None, "member": MemberSettings(family=name)})
        raw = RawRef(dataset="x", rows=1, **fields)
        by_stage[f"clean {modality}"] = clean.key({"raw": raw, "settings": CleanSettings()})
    one = EvaluationSettings(metrics=("distinct_2",))
    by_stage["evaluate distinct_2"] = evaluate.key({**given, "settings": one})
    archive = SourceSettings(name="x", location=str(COPY / "x.zip"))
    by_stage["read archive"] = reading_code(archive)
    return by_stage


def changed(before: dict[str, str]) -> list[str]:
    after = keys()
    return sorted(name for name in after if after[name] != before[name])


def main() -> None:
    (COPY / "x.zip").write_bytes(b"PK\x05\x06" + b"\0" * 18)
    answers, before = [], keys()
    for path, old, new in json.load(sys.stdin):
        file = COPY / path
        text = file.read_text() if file.exists() else ""
        file.write_text(text.replace(old, new, 1) if old else text + new)
        answers.append(changed(before))
        file.write_text(text) if text else file.unlink()
    version = importlib.metadata.version
    code_version.version = lambda name: "another" if name == "av" else version(name)
    answers.append(changed(before))
    code_version.version = lambda name: "another" if name == "torch" else version(name)
    answers.append(changed(before))
    json.dump(answers, sys.stdout)


main()
