"""Parses FHIR documents with fhir.resources as R4B, and makes sure that it refuses broken ones."""
import copy
import json
import sys

from fhir.resources.R4B.bundle import Bundle

NAME = "fhir.resources R4B"


def problem(document):
    try:
        Bundle.model_validate(document)
    except Exception as error:
        return str(error)
    return None


def broken(document):
    """The document with one fault each that a validator must see."""
    fault = copy.deepcopy(document)
    needed = "recorded" if fault["entry"][0]["resource"]["resourceType"] == "AuditEvent" else "status"
    del fault["entry"][0]["resource"][needed]
    yield f"first resource without {needed}", fault
    fault = copy.deepcopy(document)
    fault["entry"][0]["resource"]["unheard_of"] = 1
    yield "unknown field", fault
    fault = copy.deepcopy(document)
    fault["timestamp"] = "yesterday"
    yield "bad timestamp", fault


def main(paths):
    failed = 0
    for path in paths:
        document = json.load(open(path, encoding="utf-8"))
        found = problem(document)
        resources = len(document["entry"])
        print(f"{NAME}: {path}: {'FAILED ' + found if found else f'ok, {resources} resources'}")
        failed += found is not None
        for name, fault in broken(document):
            if problem(fault) is None:
                print(f"{NAME}: {path}: NOT SEEN: {name}")
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
