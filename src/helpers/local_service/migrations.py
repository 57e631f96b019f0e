"""The database's schema, as the list of steps that made it. Append only: a step that was shipped is never changed."""

MIGRATIONS = [
    # 1: files, jobs, events, checkpoints, models
    """
    CREATE TABLE files (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,   -- order of creation; clocks may go backwards, this cannot
        id TEXT NOT NULL UNIQUE,
        filename TEXT NOT NULL,
        purpose TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        lines INTEGER NOT NULL,                  -- JSON Lines: lines that are not blank; 0 for other files
        created_at INTEGER NOT NULL,
        expires_at INTEGER
    );
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        finished_at INTEGER,
        estimated_finish INTEGER,
        model TEXT NOT NULL,                     -- the name that was asked for
        base TEXT NOT NULL,                      -- the model it trains: a base, or a tuned model
        root TEXT NOT NULL,                      -- the name that the new model's name carries
        method TEXT NOT NULL,                    -- supervised
        hyperparameters TEXT NOT NULL,           -- JSON, resolved numbers
        suffix TEXT,
        seed INTEGER NOT NULL,
        training_file TEXT NOT NULL,
        validation_file TEXT,
        metadata TEXT,                           -- JSON or null
        tag TEXT NOT NULL,                       -- the eight characters at the end of the model's name
        fine_tuned_model TEXT,
        result_file TEXT,
        trained_tokens INTEGER,
        total_steps INTEGER,
        error TEXT                               -- JSON {code, message, param} or null
    );
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        job_id TEXT NOT NULL REFERENCES jobs (id),
        key TEXT NOT NULL,                       -- what happened; the same thing is never recorded twice
        created_at INTEGER NOT NULL,
        level TEXT NOT NULL,
        type TEXT NOT NULL,                      -- message or metrics
        message TEXT NOT NULL,
        data TEXT NOT NULL,                      -- JSON
        UNIQUE (job_id, key)
    );
    CREATE TABLE checkpoints (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        job_id TEXT NOT NULL REFERENCES jobs (id),
        step INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        model TEXT NOT NULL,                     -- the name under which it answers
        metrics TEXT NOT NULL,                   -- JSON
        state TEXT NOT NULL,                     -- folder to resume from, inside the job's folder
        UNIQUE (job_id, step)
    );
    CREATE TABLE models (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,                 -- ft:...
        created_at INTEGER NOT NULL,
        job_id TEXT NOT NULL,
        folder TEXT NOT NULL,                    -- inside the models folder
        base TEXT NOT NULL,                      -- the base model underneath
        adapter INTEGER NOT NULL                 -- 1: folder holds a PEFT adapter of base; 0: a whole model
    );
    """,
]
