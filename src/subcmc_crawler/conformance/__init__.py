"""Whether a province's pull service is as the specification wants it: questions, what came, checks. Pure.

`questions.plan()` asks one question after the other and is told what was seen, `seeing.see()` makes that of an
answer, and `checks.assess()` judges all of it at the end. A check is a function of `Findings`; its place in
`checks.CHECKS` gives it an id and a section. Whoever can send a GET drives the three: see `checking`.
"""
