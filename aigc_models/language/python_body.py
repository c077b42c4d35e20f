"""The grammar of the body of a Python function, as Lark text for `llguidance`: what follows its signature and docstring.

A part of the language, and the part of it whose texts compile: indentation by four blanks up to `DEEPEST` levels, statements
and expressions as they are usually laid out, loops alone hold `break` and `continue`, positional arguments come before named
ones, escapes in strings are those that exist. Left out are classes, `global`, `nonlocal`, `async`, `match`, `:=`, f-strings
with more than names in them, and strings one behind the other. What a grammar cannot see may still not compile: an argument
named twice. The lexer takes the longest symbol and goes back over none, so that no symbol begins with another and a blank
('yield', 'yield from').
"""

from __future__ import annotations

import keyword
from functools import cache

DEEPEST = 5  # levels of indentation, the function's own body the first

_TERMINALS = rf"""
NAME: /[A-Za-z_][A-Za-z0-9_]*/ & ~/({"|".join(keyword.kwlist)}|__debug__)/
NUMBER: /0|[1-9][0-9]{{0,11}}(\.[0-9]{{1,6}})?|0\.[0-9]{{1,6}}|0x[0-9a-fA-F]{{1,8}}/
STRING: /r?"([^"\\\x00-\x1f]|\\[abfnrtv0\\'"])*"|r?'([^'\\\x00-\x1f]|\\[abfnrtv0\\'"])*'/
FSTRING: /f"([^"\\{{}}\x00-\x1f]|\{{[a-z_]+(\.[a-z_]+)*(![rs])?\}})*"/
    | /f'([^'\\{{}}\x00-\x1f]|\{{[a-z_]+(\.[a-z_]+)*(![rs])?\}})*'/
BYTES: /b"([!#-\[\]-~ ]|\\[nrt0\\'"])*"|b'([!-&(-\[\]-~ ]|\\[nrt0\\'"])*'/
COMMA: /,( |\n {{0,40}})?/
COLON: /: ?/
NOTE: /  # [^\x00-\x1f]*/
OPEN: /(\n {{4,40}})?/
OPERATOR: / ?(\+|-|\*|\/\/|\/|%|@|&|\||\^|<<|>>|\*\*|==|!=|<=|>=|<|>) ?/
WORD_OPERATOR: / (and|or|in|not in|is) /
ASSIGN: / (=|\+=|-=|\*=|\/=|\/\/=|%=|&=|\|=|\^=|<<=|>>=) /
"""

_EXPRESSIONS = """
names: NAME (", " NAME)*
expression: choice | "lambda" (" " names)? ": " choice
choice: operation (" if " operation " else " expression)?
operation: operand ((OPERATOR | WORD_OPERATOR) operand)*
operand: ("not " | "-" | "~")? atom
atom: NUMBER | FSTRING | (primary | STRING | BYTES | "None" | "True" | "False" | "...")
primary: NAME | primary "." NAME | primary "(" OPEN arguments? ")" | primary "[" index "]" | (STRING | BYTES) "." NAME
    | "(" OPEN inside? ")" | "[" OPEN inside? "]" | "{" OPEN (pairs | inside)? "}"
inside: expression (COMMA expression)* ","? | expression for_part
for_part: " for " targets " in " operation (" if " operation)?
pairs: pair (COMMA pair)* ","? | pair for_part
pair: expression COLON expression
index: expression (", " expression)* | operation? ":" operation? (":" operation?)?
arguments: positional (COMMA positional)* (COMMA named)* (COMMA "**" operation)? ","?
    | named (COMMA named)* (COMMA "**" operation)? ","? | "**" operation | expression for_part
positional: expression | "*" operation
named: NAME "=" expression
target: NAME | primary "." NAME | primary "[" index "]"
targets: target (", " target)*
values: expression (", " expression)*
parameters: plain (COMMA plain)* (COMMA given)* (COMMA "*" NAME)? (COMMA "**" NAME)?
    | given (COMMA given)* (COMMA "*" NAME)? (COMMA "**" NAME)? | "*" NAME (COMMA "**" NAME)? | "**" NAME
plain: NAME
given: NAME "=" expression
dotted: NAME ("." NAME)*
yielded: "yield" (" " (values | "from " expression))?
simple: expression | targets " = " (targets " = ")? values | target ASSIGN expression | NAME ": " operation (" = " expression)?
    | "return" (" " values)? | yielded | target " = " yielded | "pass"
    | "raise" (" " expression (" from " expression)?)? | "assert " expression (", " expression)? | "del " targets
    | "import " dotted (" as " NAME)? | "from " dotted " import " names
"""


@cache
def grammar() -> str:
    """Lark text whose `start` is a body; each statement begins with a line end, so that a signature goes over into it."""
    levels = [_level(depth, looped) for depth in range(1, DEEPEST + 1) for looped in (False, True)]
    return "\n".join(["start: body_1", *levels, _EXPRESSIONS, _TERMINALS])


def _level(depth: int, looped: bool) -> str:
    """The rules of statements at an indentation; `looped`: inside a loop."""
    level, line = f"{depth}{'_loop' if looped else ''}", f"LINE_{depth}"
    simple = 'simple | "break" | "continue"' if looped else "simple"
    rules = [f"body_{level}: statement_{level}+", f"plain_{level}: {simple}"]
    if not looped:
        rules.append(f"{line}: /(\\n|\\n {{0,40}}#[^\\x00-\\x1f]*)*\\n {{{4 * depth}}}/")
    if depth == DEEPEST:
        return "\n".join([*rules, f"statement_{level}: {line} plain_{level} NOTE?"])
    inner, loop, function = f"suite_{level}", f"looped_{level}", f"inner_{level}"
    rules += [
        f'{inner}: ":" (" " plain_{level} | NOTE? body_{level.replace(str(depth), str(depth + 1), 1)})',
        f'{loop}: ":" NOTE? body_{depth + 1}_loop',
        f'{function}: ":" NOTE? body_{depth + 1}',
        f"statement_{level}: {line} (plain_{level} NOTE? | compound_{level})",
        f'compound_{level}: "if " expression {inner} ({line} "elif " expression {inner})* ({line} "else" {inner})?'
        f' | "for " targets " in " values {loop} ({line} "else" {inner})?'
        f' | "while " expression {loop} ({line} "else" {inner})?'
        f' | "with " operation (" as " target)? (", " operation (" as " target)?)? {inner}'
        f' | "try" {inner} ({line} "finally" {inner} | ({line} "except " operation (" as " NAME)? {inner})+'
        f' ({line} "except" {inner})? ({line} "else" {inner})? ({line} "finally" {inner})? | {line} "except" {inner})'
        f' | "def " NAME "(" parameters? ")" {function}',
    ]
    return "\n".join(rules)
