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
    # 2: uploads in parts, batches
    """
    CREATE TABLE uploads (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,                    -- pending, completed, cancelled, expired
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        filename TEXT NOT NULL,
        purpose TEXT NOT NULL,
        bytes INTEGER NOT NULL,                  -- as announced
        life INTEGER,                            -- seconds after which the file is to expire
        file TEXT                                -- what it became
    );
    CREATE TABLE parts (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,                 -- also the name of its file in the uploads folder
        upload_id TEXT NOT NULL REFERENCES uploads (id),
        created_at INTEGER NOT NULL,
        bytes INTEGER NOT NULL
    );
    CREATE TABLE batches (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,                    -- as OpenAI names them: validating, in_progress, …
        endpoint TEXT NOT NULL,
        input_file TEXT NOT NULL,
        metadata TEXT,                           -- JSON or null
        model TEXT,                              -- known once the input is validated
        errors TEXT,                             -- JSON: [{code, message, param, line}] where validation failed
        output_life INTEGER,                     -- seconds after which the output files are to expire
        output_file TEXT,
        error_file TEXT,
        total INTEGER NOT NULL DEFAULT 0,
        completed INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0,
        prompt_tokens INTEGER NOT NULL DEFAULT 0,
        completion_tokens INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        in_progress_at INTEGER,
        finalizing_at INTEGER,
        completed_at INTEGER,
        failed_at INTEGER,
        expired_at INTEGER,
        cancelling_at INTEGER,
        cancelled_at INTEGER
    );
    CREATE TABLE batch_results (                 -- kept until they are in the batch's files
        batch_id TEXT NOT NULL REFERENCES batches (id),
        line INTEGER NOT NULL,                   -- of the input file
        is_error INTEGER NOT NULL,
        row TEXT NOT NULL,                       -- the line for the output file or the error file
        PRIMARY KEY (batch_id, line)
    );
    """,
    # 3: a class: whose everything is (a learner's name; null: the service's own), and who trained when
    """
    ALTER TABLE files ADD COLUMN owner TEXT;
    ALTER TABLE uploads ADD COLUMN owner TEXT;
    ALTER TABLE jobs ADD COLUMN owner TEXT;
    ALTER TABLE models ADD COLUMN owner TEXT;
    ALTER TABLE batches ADD COLUMN owner TEXT;
    ALTER TABLE jobs ADD COLUMN turn INTEGER;    -- when it last began to train, counted over all jobs
    """,
]
