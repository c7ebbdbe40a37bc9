"""Which functions of the product nothing runs: a walk over the source from everything that starts by itself."""

import ast
import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, nodes

PRODUCT = "signal_exchange"
_PLAIN_DECORATORS = {"property", "staticmethod", "classmethod", "cached_property", "contextmanager", "asynccontextmanager"}
_PLAIN_DECORATORS |= {"dataclass", "cache", "lru_cache", "wraps", "override", "overload", "final", "total_ordering"}

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

Unit = tuple[str, str]
"""A module and the name of a function, class, method (`Class.method`) or constant in it."""


@dataclass
class Source:
    """One module: its units, and to which unit each name that it imports refers."""

    name: str
    units: dict[str, list[ast.AST]] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imported: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    at_import: list[ast.AST] = field(default_factory=list)


def _module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _targets(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    yield from (each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))


def _read_imports(source: Source, tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            source.imported.update({each.asname or each.name: (node.module, each.name) for each in node.names})
        elif isinstance(node, ast.Import):
            source.imported.update({each.asname or each.name: (each.name, None) for each in node.names})


def _read_class(source: Source, node: ast.ClassDef) -> None:
    source.classes[node.name] = node
    methods = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    rest = [each for each in node.body if each not in methods]
    source.units[node.name] = [*node.bases, *node.keywords, *node.decorator_list, *rest]
    for method in methods:
        source.units.setdefault(f"{node.name}.{method.name}", []).append(method)


def _read(path: Path, root: Path) -> Source:
    source, tree = Source(_module_name(path, root)), ast.parse(path.read_text())
    _read_imports(source, tree)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            _read_class(source, node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            source.units.setdefault(node.name, []).append(node)
        elif names := list(_targets(node)):
            for name in names:
                source.units.setdefault(name, []).append(node)
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            source.at_import.append(node)
    return source


def _names(node: ast.AST) -> set[str]:
    named = (each for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute))
    return {each.id if isinstance(each, ast.Name) else each.attr for each in named}


def _registered(node: ast.AST) -> bool:
    """Say whether a decorator hands the function to a library, which then calls it."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return any(not _names(each) & (_PLAIN_DECORATORS | {"setter"}) for each in decorators)


@dataclass
class Callers:
    """The walk: what is reached from `starts`, and through which names."""

    sources: Mapping[str, Source]
    reached: set[Unit] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    _open: list[Unit] = field(default_factory=list)

    def reach(self, unit: Unit) -> None:
        """Add a unit, with its class when it is a method."""
        module, name = unit
        if module in self.sources and name in self.sources[module].units and unit not in self.reached:
            self.reached.add(unit)
            self._open.append(unit)

    def _resolved(self, module: str, name: str) -> Unit | None:
        """Follow a name to its definition, through modules that only pass it on."""
        for _ in range(5):
            source = self.sources.get(module)
            if source is None:
                return None
            if name in source.units:
                return module, name
            if name not in source.imported:
                return None
            module, name = source.imported[name][0], source.imported[name][1] or ""
        return None

    def _module_of(self, source: Source, node: ast.expr) -> str | None:
        """Name the module that an expression stands for, when it is one."""
        if isinstance(node, ast.Name) and node.id in source.imported:
            module, name = source.imported[node.id]
            whole = module if name is None else f"{module}.{name}"
            return whole if whole in self.sources else None
        return None

    def see(self, source: Source, nodes: Iterable[ast.AST]) -> None:
        """Reach everything that these nodes name."""
        for node in itertools.chain.from_iterable(ast.walk(each) for each in nodes):
            if isinstance(node, ast.Name) and (unit := self._resolved(source.name, node.id)):
                self.reach(unit)
            elif isinstance(node, ast.Attribute):
                if (module := self._module_of(source, node.value)) and (unit := self._resolved(module, node.attr)):
                    self.reach(unit)
                self.attributes.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._see_text(node.value)

    def _see_text(self, text: str) -> None:
        """Reach `module:function`, as the command line and the entry points name what they load."""
        module, _, name = text.partition(":")
        for prefix in ("", f"{PRODUCT}.") if name.isidentifier() else ():
            if unit := self._resolved(prefix + module, name):
                self.reach(unit)
        if text.isidentifier():
            self.attributes.add(text)

    def _called_by_a_library(self, module: str, name: str) -> bool:
        """Say whether a method overrides one of a class that the product does not define."""
        bases = self.sources[module].classes[name].bases
        resolved = [self._resolved(module, each.id) if isinstance(each, ast.Name) else None for each in bases]
        return any(each is None or self._called_by_a_library_of(each) for each in resolved)

    def _called_by_a_library_of(self, unit: Unit) -> bool:
        module, name = unit
        return name in self.sources[module].classes and self._called_by_a_library(module, name)

    def _reach_methods(self) -> None:
        for module, source in self.sources.items():
            for name in source.units:
                owner, _, method = name.partition(".")
                if method and (module, owner) in self.reached and self._runs(module, owner, method):
                    self.reach((module, name))

    def _runs(self, module: str, owner: str, method: str) -> bool:
        registered = any(map(_registered, self.sources[module].units[f"{owner}.{method}"]))
        dunder = method.startswith("__") and method.endswith("__")
        return dunder or registered or method in self.attributes or self._overrides(module, owner)

    def _overrides(self, module: str, owner: str) -> bool:
        """Say whether the class stands on a library's class other than the plain ones."""
        plain = {"Protocol", "Exception", "Enum", "StrEnum", "IntEnum", "NamedTuple", "TypedDict", "ABC", "Generic", "ValueError"}
        texts = {ast.unparse(each).partition("[")[0].rpartition(".")[2] for each in self.sources[module].classes[owner].bases}
        return not texts <= plain and self._called_by_a_library(module, owner)

    def walk(self) -> None:
        """Follow names until nothing new is reached."""
        while self._open or self._grew():
            module, name = self._open.pop()
            self.see(self.sources[module], self.sources[module].units[name])

    def _grew(self) -> bool:
        self._reach_methods()
        return bool(self._open)


def functions(sources: Mapping[str, Source]) -> set[Unit]:
    """Return every function and method of these modules, private ones too, without the methods Python itself calls."""
    units = ((source.name, name, nodes) for source in sources.values() for name, nodes in source.units.items())
    made = {(module, name) for module, name, nodes in units if any(isinstance(each, _FUNCTION) for each in nodes)}
    return {unit for unit in made if not unit[1].rpartition(".")[2].startswith("__")}


def sources_of(root: Path, package: str) -> dict[str, Source]:
    """Read every module of a package, without its migrations, which Alembic runs."""
    paths = (each for each in (root / package).rglob("*.py") if "migrations" not in each.parts)
    return {source.name: source for source in (_read(path, root) for path in paths)}


def named_in_templates(root: Path) -> set[str]:
    """Return every name that a template asks of a value: a page calls its methods and properties."""
    trees = (Environment(autoescape=True).parse(each.read_text(encoding="utf-8")) for each in root.rglob("*.j2"))
    return {each.attr for tree in trees for each in tree.find_all(nodes.Getattr)}


def uncalled(
    sources: Mapping[str, Source], *, under: str, roots: Iterable[str], named: Collection[str] = frozenset()
) -> list[str]:
    """Return the functions of `under` that nothing runs: `roots` are the modules or packages where running begins.

    `named` are names that something else asks of a value.
    """
    callers = Callers(sources, attributes=set(named))
    for source in sources.values():
        callers.see(source, source.at_import)
        for name, found in source.units.items():
            if any(map(_registered, found)) or any(source.name == each or source.name.startswith(f"{each}.") for each in roots):
                callers.reach((source.name, name))
    callers.walk()
    unused = functions({name: source for name, source in sources.items() if name.startswith(under)}) - callers.reached
    return sorted(f"{module}:{name}" for module, name in unused)
