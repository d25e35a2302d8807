-- The status with which a gateway said that a message is wrong, at the last try; nothing where it did not. `refused_at` is when it said so first.
ALTER TABLE outbox ADD COLUMN refused BIGINT;
ALTER TABLE outbox ADD COLUMN refused_at BIGINT;
