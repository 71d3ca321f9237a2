"""What anybody says stays a value: in JSON, forms, URLs and headers; and no words can name a secret."""

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roxels.domain import output_rules
from roxels.domain.rendering import Frozen, freeze, reveal
from roxels.domain.templates import Output

URL = "https://hooks.example.com/x"
#: Words as a person may choose them.
WORDS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(
        [
            '"',
            "\\",
            '","admin":true,"x":"',
            "{{secret:crm}}",
            "{{data.b}}",
            "../..",
            "a&b=c",
            "\r\nX-Evil: 1",
            "{{7*7}}",
        ]
    ),
)


def made(words: Any = "Ada", body: Any = None, **config: Any) -> Frozen:
    values = {"data": {"a": words, "n": 7, "none": None}, "context": {"plan": "pro"}, "external_id": None}
    return freeze(Output(url=config.pop("url", URL), **config), values, body or {"data": {"a": words}})


@given(WORDS)
def test_no_words_leave_their_place(words: str) -> None:
    shape = {"say": "<{{data.a}}>", "alone": "{{data.a}}", "deep": [{"x": "{{data.a}}"}]}
    assert json.loads(made(words, body_template=shape).body or "") == {
        "say": f"<{words}>",
        "alone": words,
        "deep": [{"x": words}],
    }
    text = '{"say": "<{{data.a}}>", "bare": {{data.a}}, "n": {{ data.n }}}'
    assert json.loads(made(words, body_template=text).body or "") == {"say": f"<{words}>", "bare": words, "n": 7}
    form = made(words, body_template={"a": "{{data.a}}", "b": "x"}, body_encoding="form").body or ""
    assert parse_qsl(form, keep_blank_values=True) == [("a", words), ("b", "x")]
    assert json.loads(made(words).body or "")["data"] == {"a": words}


@given(WORDS)
def test_no_words_leave_their_place_in_a_url_or_header(words: str) -> None:
    frozen = made(words, url=URL + "/{{data.a}}/end?q={{data.a}}", headers={"X-Who": "{{data.a}}"})
    parts = urlsplit(frozen.url)
    first, middle, last = parts.path.removeprefix("/x/").rpartition("/end")
    expected = "" if words and not words.strip(".") else words
    assert (parts.netloc, middle, last) == ("hooks.example.com", "/end", "")
    assert "/" not in first
    assert unquote(first) == expected
    assert parts.query.removeprefix("q=").count("&") == 0
    assert not set(frozen.headers["X-Who"]) & set("\r\n\0")


@given(WORDS)
def test_only_the_author_can_name_a_secret(words: str) -> None:
    frozen = made(words, body_template={"who": "{{data.a}}", "key": "k-{{secret:crm}}"}, url=URL + "?k={{secret:crm}}")
    assert frozen.secrets == {"crm"}
    sent = reveal(frozen, {"crm": 'hu"sh &'})
    assert json.loads(sent.body or "") == {"who": words, "key": 'k-hu"sh &'}
    assert sent.url == URL + "?k=hu%22sh%20%26"
    assert made(words).secrets == set()
    with pytest.raises(KeyError):
        reveal(frozen, {})


def test_types_stay_and_what_is_not_there_is_named() -> None:
    frozen = made(body_template={"n": "{{data.n}}", "x": "{{data.nope}}", "y": "[{{ data.a | upper }}]", "z": True})
    assert json.loads(frozen.body or "") == {"n": 7, "x": None, "y": "[]", "z": True}
    assert frozen.unknown == ("data.nope", "data.a | upper")


def test_null_is_known() -> None:
    assert made(body_template={"x": "{{data.none}}"}).unknown == ()


def test_nested_forms() -> None:
    tree = {"items": [{"price": 1.5, "ok": True, "no": None}], "tags": ["a b"]}
    frozen = made(body=tree, raw_payload=True, body_encoding="form-nested")
    assert frozen.body == "items[0][price]=1.5&items[0][ok]=true&tags[0]=a+b"
    assert frozen.headers == {"Content-Type": "application/x-www-form-urlencoded"}
    assert parse_qsl(made(body=tree, body_encoding="form").body or "")[0] == (
        "items",
        '[{"price":1.5,"ok":true,"no":null}]',
    )


def test_other_texts_and_methods() -> None:
    assert made("<&>", body_template="<a>{{data.a}}</a>", headers={"content-type": "text/xml"}).body == (
        "<a>&lt;&amp;&gt;</a>"
    )
    plain = made("x", body_template="Hello {{data.a}}")
    assert (plain.body, plain.headers["Content-Type"]) == ("Hello x", "text/plain; charset=utf-8")
    get = made("x", method="GET")
    assert (get.body, get.headers) == (None, {})


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"url": "https://{{context.host}}/x"}, "url"),
        ({"url": "https://api.example.com:{{context.port}}/x"}, "url"),
        ({"url": "{{context.url}}"}, "url"),
        ({"url": "https://good.example\\{{data.a}}/"}, "url"),
        ({"url": "https://ada:hunter2@api.example.com/"}, "url"),
        ({"url": "https://api.example.com/?key=sk_live_1234567890"}, "url"),
        ({"url": URL, "headers": {"Authorization": "Bearer abcdefghijklm"}}, "headers.Authorization"),
        ({"url": URL, "headers": {"X-Key": "A" * 44}}, "headers.X-Key"),
        ({"url": URL, "headers": {"Host": "x"}}, "headers.Host"),
        ({"url": URL, "headers": {"X": "a\nb"}}, "headers.X"),
        ({"url": URL, "body_template": {"a": ["ghp_secret"]}}, "body_template.a[0]"),
        ({"url": URL, "raw_payload": True, "body_template": "x"}, "body_template"),
        ({"url": URL, "method": "BREW"}, "method"),
        ({"url": URL, "body_encoding": "xml"}, "body_encoding"),
        ({"url": URL, "trigger_goal": "nope"}, "trigger_goal"),
        ({"url": URL, "response_capture": {"external_id": "id"}}, "response_capture"),
        ({"url": URL, "response_capture": {"a": "os.system('x')"}}, "response_capture"),
    ],
)
def test_what_is_refused_is_named_with_its_path(config: dict[str, Any], path: str) -> None:
    assert [each for each, _ in output_rules.faults(config, {"g1"})] == [path]


def test_what_is_allowed() -> None:
    config = {
        "url": URL + "/{{context.tenant}}?k={{secret:crm}}",
        "headers": {"Authorization": "Bearer {{secret:crm}}", "X-User": "Bearer {{context.authToken}}"},
        "trigger_goal": "g1",
        "response_capture": {"ticket_id": "data.ticket[0].id", "all": "$"},
    }
    assert list(output_rules.faults(config, {"g1"})) == []


def test_what_is_warned_of_when_a_template_is_saved() -> None:
    config = {
        "url": URL + "?x={{data.nope}}",
        "body_template": '{"a": "{{person.name}}", "b": "{{ data.a|upper }}", "c": "{{data.a}}"} {% if x %}',
        "colour": "red",
    }
    found = {(rule, path) for rule, path, _ in output_rules.warnings(config, {"a"})}
    assert found == {
        ("unknown_variable", "url"),
        ("unknown_variable", "body_template"),
        ("unsupported_syntax", "body_template"),
        ("not_json", "body_template"),
        ("unknown_key", "colour"),
    }
    raw = list(output_rules.warnings({"url": URL, "raw_payload": True}, None))
    assert [rule for rule, _, _ in raw] == ["raw_payload"]


def test_what_looks_like_syntax_is_warned_of_wherever_it_stands() -> None:
    config = {
        "url": URL + "/{{data.a",
        "headers": {"X-A": "{{data.a}} {{data.a"},
        "body_template": {"list": ["{% if x %}", "{{data.a}}"], "deep": {"b": "{{ data.a }"}},
    }
    found = [(rule, path) for rule, path, _ in output_rules.warnings(config, {"a"})]
    assert found == [
        ("unclosed_placeholder", "url"),
        ("unclosed_placeholder", "headers.X-A"),
        ("unclosed_placeholder", "body_template.deep.b"),
        ("unsupported_syntax", "body_template.list[0]"),
    ]
