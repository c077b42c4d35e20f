"""The version of the code behind a stage: a digest of the project's files that it reaches by import, and of the
libraries that these import.

Plug-ins are imported by name. Those that a stage's settings and references name count (`family: gan`), so that a change
in the GAN retrains the GAN and leaves the LSTM alone. Where nothing is named and the code goes through a package's
plug-ins by itself (`names("aigc_models.metrics")`), all of them count that fit the modality.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel

from aigc_models.find import names

PROJECT = frozenset({"aigc_models", "tasks"})
ROOT = Path(__file__).parents[2]
# What wraps, watches and reports a stage has no part in its result.
APART = frozenset(
    {
        "tasks.stage.stage",
        "tasks.stage.process",
        "tasks.stage.forks",
        "tasks.stage.tracking",
        "tasks.stage.owner",
        "tasks.stage.code_version",
        "tasks.stage.settings",
        "tasks.stage.execution",
    }
)
# What is imported: the distributions whose versions may change a result.
NAMED_ALIKE = "accelerate av ftfy mido numpy pandas peft py3langid pyarrow regex rensa scipy soundfile soxr torch transformers"
LIBRARIES = {
    **{name: (name,) for name in NAMED_ALIKE.split()},
    "PIL": ("pillow",),
    "charset_normalizer": ("charset-normalizer",),
    "pandera": ("pandera", "pandas"),
    "sklearn": ("scikit-learn", "scipy"),
}
PLUGIN_FIELDS = {
    "family": "aigc_models.families",
    "modality": "aigc_models.modalities",
    "method": "aigc_models.ensembles",
    "metrics": "aigc_models.metrics",
    "task": "aigc_models.heads",
}
# Which of these read a source is said by its fingerprint (`tasks.ingest.source.readers`).
BY_FINGERPRINT = frozenset({"tasks.ingest.sources", "tasks.ingest.embedded"})
MODALITIES = "aigc_models.modalities"
HOOKS = {"painted": "canvas", "symbolic": "vocabulary"}  # functions that give modalities, by the hook that these have


@dataclass(frozen=True)
class Source:
    """What a file's code says, its comments, docstrings and imports for type checkers left out.

    `imports`: dotted names; `texts`: its module-level constants that are strings; `searched`: the packages whose plug-ins
    it goes through, as texts or names of constants; `modalities`: what its MODALITIES are made of, None if it has none.
    """

    digest: str
    imports: frozenset[str]
    texts: Mapping[str, str]
    searched: frozenset[str]
    functions: frozenset[str]
    modalities: frozenset[str] | None


@cache
def source_file(module: str) -> Path | None:
    """The file of a project module; nothing is imported to find it."""
    if module.split(".")[0] not in PROJECT or module in APART:
        return None
    place = ROOT.joinpath(*module.split("."))
    candidates = (place.with_name(f"{place.name}.py"), place / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)


@cache
def parsed(file: Path) -> Source:
    """What the file's code says."""
    return source_of(file.read_bytes())


def source_of(code: bytes) -> Source:
    """What code says; raises SyntaxError where it is none."""
    tree = stripped(ast.parse(code))
    assigned = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    texts = {name: value.value for name, value in assigned.items() if isinstance(value, ast.Constant)}
    fits = assigned.get("MODALITIES")
    return Source(
        digest=hashlib.sha256(ast.dump(tree).encode()).hexdigest(),
        imports=frozenset(imported(tree)),
        texts={name: text for name, text in texts.items() if isinstance(text, str)},
        searched=frozenset(searched(tree)),
        functions=frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef)),
        modalities=None if fits is None else frozenset(words(fits)),
    )


def stripped(tree: ast.Module) -> ast.Module:
    """The tree without docstrings and without what only type checkers see."""
    tree.body = [node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")]
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(
            node, False
        ):
            node.body = node.body[1:]
    return tree


def imported(tree: ast.AST) -> set[str]:
    """The modules that a file imports, inside its functions too; `from a import b` may mean `a.b`."""
    # grimp finds these too, but not the code, the plug-ins and the libraries for which each file is parsed here anyway
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def searched(tree: ast.AST) -> set[str]:
    """The arguments of `names(...)`, apart from `x in names(...)` and `unknown(..., names(...))`, which only check a name."""
    nodes = list(ast.walk(tree))
    checks = [
        node for node in nodes if isinstance(node, ast.Compare) or (isinstance(node, ast.Call) and _calls(node, "unknown"))
    ]
    checking = {id(part) for node in checks for part in (node.comparators if isinstance(node, ast.Compare) else node.args)}
    calls = [node for node in nodes if isinstance(node, ast.Call) and _calls(node, "names") and id(node) not in checking]
    return set().union(*(words(call.args[0]) for call in calls if call.args))


def _calls(node: ast.Call, function: str) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == function


def words(node: ast.AST) -> set[str]:
    """The strings and names in an expression."""
    nodes = list(ast.walk(node))
    texts = {part.value for part in nodes if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return texts | {part.id for part in nodes if isinstance(part, ast.Name)}


def reached(modules: Iterable[str], arguments: object = None) -> dict[str, Source]:
    """Each project module that `modules` reach by import, with its source.

    With `arguments` (a stage's settings and references) the plug-ins count too that these name or leave to the code.
    """
    chosen = named_plugins(arguments)
    sources: dict[str, Source] = {}
    waiting = [*modules, *chosen]
    while waiting:
        module = waiting.pop()
        file = source_file(module)
        if file is not None and module not in sources:
            sources[module] = source = parsed(file)
            waiting.extend(source.imports)
            if arguments is not None:
                waiting.extend(plugin for package in _packages(source) for plugin in _left_to_code(package, chosen))
    return sources


def _packages(source: Source) -> set[str]:
    """The packages of plug-ins that a file goes through; `names(PACKAGE)` may name a constant of another file."""
    constants = dict(source.texts)
    for name in source.imports:
        module, _, constant = name.rpartition(".")
        if constant in source.searched and (file := source_file(module)):
            constants |= {constant: parsed(file).texts.get(constant, "")}
    packages = {constants.get(word, word) for word in source.searched}
    return {package for package in packages if "." in package and source_file(package)} - BY_FINGERPRINT


def _left_to_code(package: str, chosen: set[str]) -> list[str]:
    """All plug-ins of a package that fit the modality, unless settings chose among them."""
    if any(plugin.rpartition(".")[0] == package for plugin in chosen):
        return []
    wanted = {plugin.rpartition(".")[2] for plugin in chosen if plugin.startswith(f"{MODALITIES}.")}
    plugins = [f"{package}.{name}" for name in names(package)]
    return [plugin for plugin in plugins if not wanted or wanted & modalities_of(plugin, wanted)]


def modalities_of(plugin: str, every: set[str]) -> set[str]:
    """The modalities that a plug-in says it fits, read from its file, since an import of torch takes seconds."""
    file = source_file(plugin)
    modalities = parsed(file).modalities if file else None
    if modalities is None or "names" in modalities:  # all that there are
        return every
    hooks = {hook for function, hook in HOOKS.items() if function in modalities}
    return set(modalities) | {name for name in every if hooks & _functions(name)}


def _functions(modality: str) -> frozenset[str]:
    file = source_file(f"{MODALITIES}.{modality}")
    return parsed(file).functions if file else frozenset()


def named_plugins(value: object, field: str = "") -> set[str]:
    """The plug-in modules that settings and references name in their fields (`family: gan`)."""
    package = PLUGIN_FIELDS.get(field)
    if isinstance(value, str):
        return {f"{package}.{value}"} if package and value in names(package) else set()
    if isinstance(value, BaseModel):
        return set().union(*(named_plugins(getattr(value, name), name) for name in type(value).model_fields))
    if isinstance(value, Mapping):
        keys = set().union(*(named_plugins(str(key), field) for key in value)) if package else set()
        return keys.union(*(named_plugins(item, str(key)) for key, item in value.items()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return set().union(*(named_plugins(item, field) for item in value))
    return set()


def libraries(sources: Iterable[Source]) -> list[str]:
    """The installed versions of the libraries that these files import, as far as results depend on them."""
    roots = {name.split(".")[0] for source in sources for name in source.imports}
    return [_installed(name) for name in sorted({name for root in roots for name in LIBRARIES.get(root, ())})]


def _installed(distribution: str) -> str:
    try:
        return f"{distribution}=={version(distribution)}"
    except PackageNotFoundError:
        return f"{distribution} absent"


def code_version(modules: Iterable[str], arguments: object = None) -> str:
    """sha256 over the code that `modules` reach (see `reached`) and its libraries' versions."""
    sources = reached(modules, arguments)
    lines = [f"{module} {source.digest}" for module, source in sorted(sources.items())]
    return hashlib.sha256("\n".join([*libraries(sources.values()), *lines]).encode()).hexdigest()
