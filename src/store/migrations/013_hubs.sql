-- The WebSub hubs that have to be notified of a changed section.
CREATE TABLE hub_queue (
  hub TEXT NOT NULL,               -- the address of the hub, which feeds publish
  section TEXT NOT NULL,           -- the id of the section
  due INTEGER,                     -- when to try next; NULL until the changed section is served
  failures INTEGER NOT NULL DEFAULT 0, -- how many attempts failed
  PRIMARY KEY (hub, section)
) STRICT, WITHOUT ROWID;
