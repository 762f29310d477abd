"""What the commands say: in the shell's language, with the nearest right word, as JSON; and their exit codes."""

from __future__ import annotations

import ast
import inspect
import os
import re
import string
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click
import polib
import pytest

from cli import exits, polish, show
from cli.docs import CATALOGUE
from cli.main import COMMANDS, kartoteka
from cli.polish_doctor import DOCTOR
from cli.polish_help import HELP
from kartoteka.adapters.sql.dialect import open_engine
from kartoteka.desk.texts import TEXTS
from kartoteka.doctor.findings import Level
from kartoteka.fields.table import LABELS
from kartoteka.model import Decision, Ended, FoundBy, Planned, Reason
from kartoteka.ports.exchange import Unlogged
from kartoteka.sync.planned import APPROVE, REJECT
from tests.fixtures.cli import STACK, Command, Deployed
from tests.fixtures.exchange import SqlBench
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.records import AT

CLI = Path(inspect.getfile(polish)).parent
DOCS = CLI.parent / "docs"
SAID, COUNTED, TABLE, PAGES = {"say", "said", "moment", "working", "bar"}, {"many"}, {"table"}, {"text"}


def called(names: set[str]) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of one of ``show``'s functions, with the module it stands in."""
    for path in sorted(CLI.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="show"), attr=attr)) if attr in names:
                    yield path.stem, node
                case ast.Call(func=ast.Name(id=name)) if name in names:
                    yield path.stem, node


def literals(module: str, node: ast.expr) -> list[str]:
    """Return the texts that an argument may be; a name is looked up where it stands."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            return literals(module, one) + literals(module, other)
        case ast.Name(id=name) if name.isupper():
            return [str(getattr(_module(module, name), name))]
    return []


def _module(module: str, name: str) -> ModuleType:
    found = import_module(f"cli.{module}")
    assert hasattr(found, name), f"cli.{module}.{name}"
    return found


def facts(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_sentence_of_a_command_is_said_in_polish_too_with_the_same_facts() -> None:
    status = import_module("cli.status")
    said = [text for module, call in called(SAID) for text in literals(module, call.args[0])]
    said += [text for module, call in called(TABLE) for text in literals(module, call.args[0])]
    said += [text for _, *both in status.UNMATCHED for text in both] + [*status.TO_TRIGGERS.values()]
    said += [*import_module("cli.tick").STOPPED.values()]
    titles_of_others = {"Findings", "What it proposes"}
    assert [text for text in said if text not in polish.SENTENCES and text not in titles_of_others] == []
    assert set(polish.SENTENCES) - set(said) == set(), "said by nobody"
    for english, ours in polish.SENTENCES.items():
        assert facts(english) == facts(ours), english


DOCTORS = [*(CLI.parent / "shared/kartoteka/doctor").glob("*.py"), CLI / "stack_findings.py"]
FOUND = {"ok", "look", "stop", "level", "clocks", "worded", "Examination", "_tried", "_asked"}
"""What makes a finding, a sentence, or an examination's title."""
KEPT = {"remedy", "way", "over", "side", "how", "sentence"}
"""By these names a sentence is kept before it is used."""
PLACES = {"worded": (0,), "Examination": (1, 4), "_tried": (1, 4), "_asked": (1,)}
TITLED = {"calls", "id_", "setting", "panel"}


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from (*_texts(one), *_texts(other))
        case ast.Tuple(elts=several):
            for each in several:
                yield from _texts(each)
        case ast.JoinedStr():
            pytest.fail(f"a sentence that nobody can say in another language: {ast.unparse(node)}")


def found_by_the_doctor() -> Iterator[str]:
    """Yield every English text of a finding, with the words that stand in tables."""
    for path in DOCTORS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in FOUND:
                    places = PLACES.get(name, range(1, len(args)))
                    named = [each.value for each in keywords if each.arg not in TITLED]
                    for each in (*(args[n] for n in places if n < len(args)), *named):
                        if not isinstance(each, ast.JoinedStr) or name != "worded":
                            yield from _texts(each)
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in KEPT:
                    yield from _texts(value)
    first = import_module("kartoteka.doctor.first_contact")
    tables = (first.OTHER_COLUMNS, first._RULES, {each: each for each in map(str, Unlogged)})
    yield from (text for table in tables for text in table.values())
    yield from (*import_module("cli.stack_findings").SETTINGS, *map(str, Level))
    yield from ("external codes", "e-mail addresses", "tax numbers", "none", "without a number")


def test_every_finding_of_the_doctor_is_said_in_polish_too_with_the_same_facts() -> None:
    found = set(found_by_the_doctor())
    assert len(found) > 300
    assert sorted(found - set(DOCTOR)) == []
    assert sorted(set(DOCTOR) - found) == [], "found by nobody"
    assert not set(DOCTOR) & set(polish.SENTENCES)
    for english, ours in DOCTOR.items():
        assert facts(english) == facts(ours), english


SHOWN = {"echo", "secho", "confirm", "status", "update", "add_task"}
"""What shows a text; and whatever ends a command by one is named in ``cli.exits``, or is click's."""


def _shows(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    kind = getattr(exits, name, None) or getattr(click, name, None)
    return name in SHOWN or (inspect.isclass(kind) and issubclass(kind, click.ClickException))


def _spoken(node: ast.expr) -> Iterator[str]:
    """Yield the English of an argument that no function of ``show`` says."""
    match node:
        case ast.Constant(value=str(text)) if re.search("[a-z]{2}", text, re.IGNORECASE):
            yield text
        case ast.JoinedStr(values=parts):
            for part in parts:
                yield from _spoken(part)
        case ast.BinOp(left=left, right=right):
            yield from (*_spoken(left), *_spoken(right))
        case ast.IfExp(body=one, orelse=other):
            yield from (*_spoken(one), *_spoken(other))


def test_nothing_is_shown_but_through_what_has_both_languages() -> None:
    found = [
        f"{path.name}:{node.lineno}: {text}"
        for path in sorted(CLI.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _shows(node)
        for argument in node.args
        for text in _spoken(argument)
    ]
    assert found == []


def test_everything_counted_has_its_three_forms() -> None:
    counted = {text for module, call in called(COUNTED) for text in literals(module, call.args[1])}
    for path in DOCTORS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="counted"), args=[_, ast.Constant(value=str(what))]):
                    counted.add(what)
    assert counted == set(polish.COUNTED)
    found = [polish.counted(n, "client") for n in (0, 1, 2, 4, 5, 11, 12, 14, 21, 22, 25, 112, 122)]
    assert found == [
        "0 klientów",
        "1 klient",
        "2 klienci",
        "4 klienci",
        "5 klientów",
        "11 klientów",
        "12 klientów",
        "14 klientów",
        "21 klientów",
        "22 klienci",
        "25 klientów",
        "112 klientów",
        "122 klienci",
    ]


def test_what_the_pages_say_too_is_theirs() -> None:
    names = {text for module, call in called(PAGES) for text in literals(module, call.args[0])}
    assert len(names) >= 8
    assert names <= set(TEXTS)
    assert set(polish.OF_PAGES.values()) <= set(TEXTS)


def test_every_heading_has_a_polish_word() -> None:
    names = ("conflicts", "history", "incoming", "plan", "questions", "status", "undo")
    modules = [import_module(f"cli.{name}") for name in names]
    lists = [getattr(m, n) for m in modules for n in ("COLUMNS", "ANSWERS", "LISTED", "CREDIT") if hasattr(m, n)]
    named = {column for columns in lists for column in columns}
    for module, call in called(TABLE):
        words = (item for item in ast.walk(call.args[1]) if isinstance(item, ast.Constant))
        named |= {word for item in words for word in literals(module, item)}
    same = {"alarm", "login", "NIP", "e-mail"}
    untold = [name for name in named if polish.heading(name) == name and name not in same]
    assert untold == []
    assert len(named) > 40
    assert not set(polish.HEADINGS) & set(polish.OF_PAGES)
    assert not set(polish.HEADINGS) & set(LABELS)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("action", Planned),
        ("reason", Reason),
        ("found_by", FoundBy),
        ("decision", [*Decision, APPROVE, REJECT, "erp", "panel", "link", "create"]),
        ("direction", ["erp_to_panel", "panel_to_erp"]),
        ("outcome", Ended),
    ],
)
def test_words_that_programs_see_have_a_polish_one_in_tables(column: str, words: Sequence[str]) -> None:
    assert [str(word) for word in words if str(word) not in polish.CELLS[column]] == []


# --- the shell's language


@pytest.mark.parametrize(
    ("environment", "polish_is_spoken"),
    [
        ({"LANG": "pl_PL.UTF-8"}, True),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "pl_PL"}, True),
        ({"LANG": "pl_PL.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({}, False),
    ],
)
def test_a_command_speaks_the_shells_language(
    command: Command,
    sqlite_bench: SqlBench,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    polish_is_spoken: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    said = {
        ("status",): ("0 klientów, z kontem w panelu: 0", "0 clients, 0 with an account"),
        ("conflicts",): ("Nie ma konfliktów.", "There are no conflicts."),
        ("held",): ("Nic nie jest wstrzymane.", "Nothing is held."),
        ("questions",): ("Nie ma pytań.", "There are no questions."),
        ("incoming",): ("Nikt nie czeka.", "Nobody is waiting."),
        ("differences",): ("Niczego nie trzeba było poprawiać.", "Nothing had to be corrected."),
        ("history",): ("Nic jeszcze nie zapisano.", "Nothing was written yet."),
        ("plan",): ("Nic nie jest zaplanowane.", "Nothing is planned."),
        ("pause", "shops"): ("shops: wstrzymane (operator)", "shops is paused (operator)"),
        ("resume", "shops"): ("shops działa dalej", "shops goes on"),
    }
    for words, (in_polish, in_english) in said.items():
        shown = command(*words, "--erp-url", sqlite_bench.url).stdout
        assert (in_polish in shown, in_english in shown) == (polish_is_spoken, not polish_is_spoken), words


def test_what_is_asked_for_goes_before_the_shells_language(
    command: Command, sqlite_bench: SqlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "pl_PL.UTF-8")
    assert "0 clients, 0 with" in command("status", "--lang", "en", "--erp-url", sqlite_bench.url).stdout


def test_tables_and_refusals_are_polish_too(
    command: Command, sqlite_bench: SqlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "pl_PL.UTF-8")
    sqlite_bench.erp.run(
        "INSERT INTO sync_conflicts (client_id, concern, field, erp_value, panel_value) "
        "VALUES ('K-1', 'billing', 'street', 'Długa 1', 'Krótka 2')"
    )
    where = ("--erp-url", sqlite_bench.url)
    shown = command("conflicts", *where).stdout
    for word in ("Konflikty", "klient", "zakres", "ostatnio zgodne", "Długa 1"):
        assert word in shown
    assert "client_id" not in shown
    assert "Nie ma konfliktu 9." in command("conflicts", "decide", "9", "erp", *where, code=65).stderr
    decided = command("conflicts", "decide", "1", "erp", *where).stdout
    assert "konflikt 1 (K-1, street): wygrywa erp; wykona to następny przebieg" in decided
    sqlite_bench.exchange.pauses.pause("billing", "brake", at=AT)
    told = command("resume", "billing", *where, code=77).stderr
    for part in ("zatrzymał hamulec", "0 klientów", "`kartoteka resume billing --confirm`"):
        assert part in told


def test_excluding_renaming_and_erasing_are_said_in_polish_too(
    command: Command, sqlite_bench: SqlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "pl_PL.UTF-8")
    sqlite_bench.erp.insert_client("K-1")
    where = ("--erp-url", sqlite_bench.url)
    said = {
        ("exclude", "K-1", "shops"): "K-1, shops: pomijany od następnego przebiegu",
        ("include", "K-1", "shops"): "K-1, shops: znów prowadzony",
        ("forget", "K-1"): "Usuwane wiersze",
    }
    for words, polish_words in said.items():
        assert polish_words in command(*words, *where).stdout
    assert "K-9" in command("rename", "K-9", "K-10", *where, code=65).stderr
    assert "podaj przebieg albo --since" in command("undo", *where, code=2).stderr
    assert "nie ma pliku SQLite /nowhere.db" in command("status", "--erp-url", "sqlite:////nowhere.db", code=69).stderr


def test_json_is_the_same_in_every_language(
    command: Command, sqlite_bench: SqlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = command.json("status", "--erp-url", sqlite_bench.url)
    monkeypatch.setenv("LANG", "pl_PL.UTF-8")
    assert command.json("status", "--erp-url", sqlite_bench.url) == before


# --- wrong words


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        (("statsu",), "status"),
        (("conflict",), "conflicts"),
        (("plan", "aprove"), "approve"),
        (("held", "rety", "K-1"), "retry"),
        (("pause", "bilingg"), "billing"),
        (("pause", "delivery-adresses"), "delivery_addresses"),
        (("resume", "panel-feed2"), "panel_feed"),
        (("resync", "acounts"), "accounts"),
        (("redrive", "CREDIT"), "credit"),
        (("PLAN",), "plan"),
        (("held", "--concern", "shop"), "shops"),
        (("diferences",), "differences"),
        (("differences", "--concern", "bilingg"), "billing"),
        (("forget", "K-1", "--account", "clos"), "close"),
        (("exclude", "K-1", "shop"), "shops"),
        (("held", "--concer", "shops"), "--concern"),
        (("conflicts", "decide", "5", "epr"), "erp"),
        (("schema", "ddl", "--dialect", "postgres"), "postgresql"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest_right_one(
    command: Command, words: tuple[str, ...], nearest: str
) -> None:
    told = command(*words, code=2).stderr
    assert f"Did you mean '{nearest}'?" in told
    assert told.count("Did you mean") == 1


@pytest.mark.parametrize("words", [("xyzzy",), ("pause", "everything"), ("plan", "burn"), ("held", "--xx")])
def test_a_word_that_is_near_to_none_is_only_refused(command: Command, words: tuple[str, ...]) -> None:
    assert "Did you mean" not in command(*words, code=2).stderr


# --- JSON and exit codes


def commands(group: click.Group = kartoteka, *before: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        path = (*before, name)
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield path, command
        if isinstance(command, click.Group):
            yield from commands(command, *path)


def helps() -> Iterator[str]:
    """Yield what `--help` says of each command and option, our own."""
    groups = {path[:1]: kartoteka.get_command(click.Context(kartoteka), path[0]) for path, _ in commands()}
    each = [kartoteka, *filter(None, groups.values()), *(command for _, command in commands())]
    for command in each:
        yield inspect.cleandoc(command.help or "")
        yield from (text for param in command.params if (text := getattr(param, "help", None)))


def test_every_help_is_polish_too() -> None:
    theirs = {"Show the version and exit.", ""}
    found = set(helps()) - theirs
    assert len(found) > 80
    assert sorted(found - set(HELP)) == []
    assert sorted(set(HELP) - found) == [], "said by nobody"


def test_help_is_in_the_shells_language(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    english = command("plan", "approve", "--help").stdout
    monkeypatch.setenv("LANG", "pl_PL.UTF-8")
    shown = command("plan", "approve", "--help").stdout
    assert "Zatwierdź rekordy" in shown
    assert "Tylko z tego zakresu." in shown
    assert "Utrzymuje zgodność" in command("--help").stdout
    assert "Wypisz pola zmienione" in command("--help").stdout
    monkeypatch.delenv("LANG")
    assert command("plan", "approve", "--help").stdout == english


def test_every_command_has_json() -> None:
    assert {path[0] for path, _ in commands()} == set(COMMANDS)
    without = [path for path, command in commands() if "--json" not in {o for p in command.params for o in p.opts}]
    assert without == []


def test_the_names_that_programs_rely_on(command: Command, sqlite_bench: SqlBench) -> None:
    sqlite_bench.erp.insert_client("K-1")
    asked = {
        ("status", "--credit"): {"blocked"},
        ("differences",): {"differences"},
        ("plan",): {"rows", "totals", "forecast", "as_of", "too_many", "waits"},
        ("pause", "shops"): {"concern", "paused", "reason"},
        ("resume", "shops"): {"concern", "paused", "was_paused"},
        ("exclude", "K-1", "shops"): {"client_id", "concern", "excluded"},
        ("include", "K-1", "shops"): {"client_id", "concern", "excluded"},
        ("undo", "--since", "2026-11-27T14:00"): {
            *("action", "done", "clients", "left_alone", "back_already", "carried", "refused", "messages", "approved"),
            *("rows", "waits"),
        },
        ("forget", "K-1"): {"client_id", "former_codes", "erased", "kept", "account", "forgotten"},
    }
    for words, names in asked.items():
        assert set(command.json(*words, "--erp-url", sqlite_bench.url)) == names, words


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("undo", "run-that-never-was"), 65),
        (("undo",), 2),
        (("undo", "--since", "yesterday"), 2),
        (("plan", "approve", "999"), 65),
        (("plan", "approve"), 2),
        (("forget", "K-9"), 65),
        (("rename", "K-9", "K-10"), 65),
        (("include", "K-9", "shops"), 65),
        (("differences", "--concern", "everything"), 2),
        (("status", "--credit", "--near", "0"), 2),
    ],
)
def test_what_cannot_be_done_ends_by_the_code_of_the_table(
    command: Command, sqlite_bench: SqlBench, words: tuple[str, ...], code: int
) -> None:
    command(*words, "--erp-url", sqlite_bench.url, code=code)


def test_on_a_terminal_long_work_says_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    monkeypatch.setattr("rich.console.Console.status", lambda _self, text: told.append(text) or nullcontext())
    with show.working("erasing {client}", client="K-1"):
        pass
    monkeypatch.setattr("rich.console.Console.is_terminal", False)
    with show.working("reading the plan"):
        pass
    assert told == ["erasing K-1"]


def test_the_commands_of_the_schema_answer_json(command: Command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    created = command.json("schema", "create", "--url", url)
    assert created == command.json("schema", "upgrade", "--url", url)
    assert created["narrow_encoding"] is None
    assert "CREATE TABLE" in command.json("schema", "ddl", "--dialect", "sqlite")["sql"]


def test_a_narrow_encoding_is_told_in_the_words_of_the_engine(
    command: Command, postgres_server: PostgresServer, mariadb_url: str
) -> None:
    url = postgres_server.encoded("LATIN2")
    told = command("schema", "create", "--url", url).output
    assert "The database's encoding is LATIN2" in told
    assert "CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'" in told
    postgres_server.drop(url)
    with open_engine(mariadb_url).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE clients MODIFY street VARCHAR(200) CHARACTER SET latin2")
    told = command("schema", "create", "--url", mariadb_url).output
    assert "The database's encoding is latin2 in clients" in told
    assert "CONVERT TO CHARACTER SET utf8mb4" in told
    assert "ENCODING" not in told


def test_every_exit_code_is_in_the_table_and_the_table_on_its_page() -> None:
    named = {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    errors = {e for e in vars(exits).values() if inspect.isclass(e) and issubclass(e, click.ClickException)}
    assert {error.exit_code for error in errors} | {click.UsageError.exit_code} <= named == set(exits.MEANINGS)
    page = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)] == sorted(exits.MEANINGS)


def test_no_command_ends_by_a_code_of_its_own() -> None:
    for path in CLI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="sys"), attr="exit"), args=[ast.Constant()]):
                    pytest.fail(f"{path.name}:{node.lineno} ends by a number")


def test_the_remedies_that_are_sql_name_the_command_too(command: Command, filled_questions: SqlBench) -> None:
    shown = command("status", "--erp-url", filled_questions.url).stdout
    flat = " ".join(re.sub(r"[│┃]", " ", shown).split())
    for part in ("kartoteka questions", "sync_matches", "kartoteka incoming", "incoming_clients"):
        assert part in flat


@pytest.fixture
def filled_questions(sqlite_bench: SqlBench) -> SqlBench:
    """A client held with two accounts to choose from, and a customer of the shop who waits."""
    sqlite_bench.erp.insert_client("K-1")
    sqlite_bench.erp.run(
        "INSERT INTO sync_status (client_id, group_id, concern, item_id, state, code, field, since) "
        "VALUES ('K-1', '', 'accounts', '', 'held', 'ambiguous', '', '2026-03-02 12:00:00')"
    )
    sqlite_bench.erp.run("INSERT INTO sync_matches (client_id, panel_client_id) VALUES ('K-1', '5')")
    sqlite_bench.erp.run("INSERT INTO incoming_clients (panel_client_id) VALUES ('7')")
    return sqlite_bench


def test_tick_takes_json_which_it_prints_anyway(command: Command, deployed: Deployed) -> None:
    del deployed
    assert command("tick", "--json", "--stack", STACK + "-gone", code=69)


# --- click's own words


def test_what_click_says_is_compiled_as_it_is_written() -> None:
    compiled = CATALOGUE.with_suffix(".mo").read_bytes()
    assert compiled == polib.pofile(str(CATALOGUE)).to_binary(), "run `.venv/bin/python -m cli.docs`"


def test_every_word_of_the_catalogue_is_one_that_click_says() -> None:
    said = "".join(path.read_text(encoding="utf-8") for path in Path(click.__file__).parent.glob("*.py"))
    catalogue = [word for entry in polib.pofile(str(CATALOGUE)) for word in (entry.msgid, entry.msgid_plural) if word]
    assert [word for word in catalogue if word.replace("\n", "\\n").replace("\t", "\\t") not in said] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--help",), ("Użycie:", "Opcje:", "Polecenia:", "Pokaż tę pomoc i zakończ.", "Pokaż wersję i zakończ.")),
        (("histroy",), ("Błąd: Nie ma polecenia 'histroy'.", "'history'", "Pomoc: ")),
        (("history", "--limit", "many"), ("Zła wartość '--limit': 'many' nie jest liczbą",)),
        (("redrive", "CREDITS"), ("nie jest żadnym z: 'accounts', ", "'credit'?")),
    ],
)
def test_click_speaks_the_shells_language(arguments: tuple[str, ...], told: tuple[str, ...]) -> None:
    spoken = {"LANG": "pl_PL.UTF-8", "LC_ALL": "", "LC_MESSAGES": "", "LANGUAGE": "", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=CLI.parent,
        env={**os.environ, **spoken},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert [each for each in told if each not in done.stdout + done.stderr] == [], done
