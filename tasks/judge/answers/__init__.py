"""What a report shows of a model that makes no items: its answers about test items, one task of `aigc_models/heads` a file.

HEADING, LEAD: str                                              above them in the report
def answers(generator, test, count, folder) -> list[dict]       each with `file` (written into `folder`), `label`, `note`
                                                                and, where the file is not shown as the item, `html`
"""
