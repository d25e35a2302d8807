-- Wrapped keys lie in a key store of their own, outside this database (src/store/keys). `data_key` of recordings and patients is empty since.

-- 0 until the keys of a database from before have been moved there.
ALTER TABLE upkeep ADD COLUMN keys_apart BIGINT NOT NULL DEFAULT 0;

-- Patients who were erased, and whose key is still to be destroyed: written with the erasing, gone a moment later.
CREATE TABLE erased_patients (
    id TEXT PRIMARY KEY
);
