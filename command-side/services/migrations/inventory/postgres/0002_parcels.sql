-- What became of an order's goods, parcel by parcel, and what came back:
-- [{"of": the parcel or return, absent for all that was left, "fate": "released"|"issued"|"returned", "lines": […]}]
ALTER TABLE reservations ADD COLUMN parts TEXT NOT NULL DEFAULT '[]';
UPDATE reservations SET parts = '[{"fate":"issued","lines":' || lines || '}]', lines = '[]' WHERE state = 'issued';
UPDATE reservations SET parts = '[{"fate":"released","lines":[]}]' WHERE state = 'released';
