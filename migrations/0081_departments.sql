-- Where in the organisation somebody works, in the organisation's own words.
ALTER TABLE roles ADD COLUMN department TEXT;
