"""The account index holds no e-mail, tax number or telephone number, and of a guest not even a log-in."""

from __future__ import annotations

from tests.world import CLIENT, World


def test_the_index_reads_like_nothing_and_still_matches() -> None:
    world = World()
    number = world.panel.register(CLIENT, login="sklep-1")
    world.panel.register({"email": "gosc@firma.pl", "phone": "601601601"}, login="gosc@firma.pl", guest=True)
    world.knows_the_panel()
    spelled = repr([(a, a.mail, a.tax_number, a.telephone) for a in world.exchange.accounts.values()])
    for plain in ("biuro@firma.pl", "gosc@firma.pl", "5250001233", "501502503", "601601601"):
        assert plain not in spelled, plain
    assert len(world.exchange.accounts) == 2
    world.exchange.insert_client("K-1", **CLIENT)
    for _ in range(3):
        world.tick()
    assert world.exchange.links["K-1"].panel_client_id == number
    assert world.panel.opened == []


def test_two_who_share_a_mark_are_still_a_question() -> None:
    world = World()
    for login in ("a", "b"):
        world.panel.register(CLIENT | {"nip": ""}, login=login)
    world.knows_the_panel()
    world.exchange.insert_client("K-1", **CLIENT)
    for _ in range(2):
        world.tick()
    assert len(world.exchange.matches) == 2
    assert world.exchange.links == {}
