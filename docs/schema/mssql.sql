SET ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL, QUOTED_IDENTIFIER ON; SET NUMERIC_ROUNDABORT OFF;
GO

IF OBJECT_ID(N'clients') IS NULL CREATE TABLE clients (
	id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	login NVARCHAR(40) NULL, 
	email NVARCHAR(350) NULL, 
	phone NVARCHAR(150) NULL, 
	client_type NVARCHAR(16) NULL, 
	first_name NVARCHAR(100) NULL, 
	last_name NVARCHAR(100) NULL, 
	company NVARCHAR(300) NULL, 
	nip NVARCHAR(30) NULL, 
	street NVARCHAR(200) NULL, 
	zip_code NVARCHAR(20) NULL, 
	city NVARCHAR(100) NULL, 
	province NVARCHAR(40) NULL, 
	country_code NVARCHAR(2) NULL DEFAULT 'PL', 
	language NVARCHAR(3) NULL, 
	currency NVARCHAR(3) NULL, 
	wholesaler BIT NULL, 
	vat_eu BIT NULL, 
	local_government BIT NULL, 
	active BIT NULL DEFAULT 1, 
	discount_group_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL, 
	PRIMARY KEY (id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'clients') AND name = N'ix_clients_discount_group_id') CREATE INDEX ix_clients_discount_group_id ON clients (discount_group_id);
GO

IF OBJECT_ID(N'delivery_addresses') IS NULL CREATE TABLE delivery_addresses (
	id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	client_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL, 
	first_name NVARCHAR(100) NULL, 
	last_name NVARCHAR(100) NULL, 
	additional NVARCHAR(300) NULL, 
	phone NVARCHAR(150) NULL, 
	street NVARCHAR(200) NULL, 
	zip_code NVARCHAR(20) NULL, 
	city NVARCHAR(100) NULL, 
	country_code NVARCHAR(2) NULL DEFAULT 'PL', 
	PRIMARY KEY (id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'delivery_addresses') AND name = N'ix_delivery_addresses_client_id') CREATE INDEX ix_delivery_addresses_client_id ON delivery_addresses (client_id);
GO

IF OBJECT_ID(N'client_shops') IS NULL CREATE TABLE client_shops (
	client_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	shop_id INTEGER NOT NULL, 
	PRIMARY KEY (client_id, shop_id)
);
GO

IF OBJECT_ID(N'discount_groups') IS NULL CREATE TABLE discount_groups (
	id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	name NVARCHAR(200) NULL, 
	PRIMARY KEY (id)
);
GO

IF OBJECT_ID(N'discount_group_items') IS NULL CREATE TABLE discount_group_items (
	group_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	item_type NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	item_id INTEGER NOT NULL, 
	price NUMERIC(12, 2) NULL, 
	rebate_percent NUMERIC(5, 2) NULL, 
	base_price NUMERIC(12, 2) NULL, 
	currency NVARCHAR(3) NULL, 
	valid_from DATETIME2(6) NULL, 
	valid_to DATETIME2(6) NULL, 
	PRIMARY KEY (group_id, item_type, item_id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'discount_group_items') AND name = N'ix_discount_group_items_valid_from') CREATE INDEX ix_discount_group_items_valid_from ON discount_group_items (valid_from);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'discount_group_items') AND name = N'ix_discount_group_items_valid_to') CREATE INDEX ix_discount_group_items_valid_to ON discount_group_items (valid_to);
GO

IF OBJECT_ID(N'client_credit') IS NULL CREATE TABLE client_credit (
	client_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	credit_allowed BIT NULL, 
	credit_limit NUMERIC(12, 2) NULL, 
	balance NUMERIC(12, 2) NULL, 
	payment_days INTEGER NULL, 
	currency NVARCHAR(3) NULL, 
	overdue NUMERIC(12, 2) NULL, 
	as_of DATETIME2(6) NULL, 
	PRIMARY KEY (client_id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'client_credit') AND name = N'ix_client_credit_as_of') CREATE INDEX ix_client_credit_as_of ON client_credit (as_of);
GO

IF OBJECT_ID(N'incoming_clients') IS NULL CREATE TABLE incoming_clients (
	panel_client_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	email NVARCHAR(350) NULL, 
	phone NVARCHAR(150) NULL, 
	client_type NVARCHAR(16) NULL, 
	first_name NVARCHAR(100) NULL, 
	last_name NVARCHAR(100) NULL, 
	company NVARCHAR(300) NULL, 
	nip NVARCHAR(30) NULL, 
	street NVARCHAR(200) NULL, 
	zip_code NVARCHAR(20) NULL, 
	city NVARCHAR(100) NULL, 
	province NVARCHAR(40) NULL, 
	country_code NVARCHAR(2) NULL DEFAULT 'PL', 
	language NVARCHAR(3) NULL, 
	currency NVARCHAR(3) NULL, 
	wholesaler BIT NULL, 
	vat_eu BIT NULL, 
	local_government BIT NULL, 
	seen_at DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	client_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL, 
	PRIMARY KEY (panel_client_id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'incoming_clients') AND name = N'ix_incoming_clients_client_id') CREATE INDEX ix_incoming_clients_client_id ON incoming_clients (client_id);
GO

IF OBJECT_ID(N'sync_links') IS NULL CREATE TABLE sync_links (
	client_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	panel_client_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	panel_login NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL, 
	linked_at DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	linked_by NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL, 
	former_code NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	PRIMARY KEY (client_id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_links') AND name = N'ux_sync_links_panel_client') CREATE UNIQUE INDEX ux_sync_links_panel_client ON sync_links (panel_client_id);
GO

IF OBJECT_ID(N'sync_base') IS NULL CREATE TABLE sync_base (
	client_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	group_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	concern NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	item_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	[values] NVARCHAR(max) NULL, 
	panel_item_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL, 
	notes NVARCHAR(max) NULL, 
	intent NVARCHAR(max) NULL, 
	due_at DATETIME2(6) NULL, 
	attempts INTEGER NOT NULL DEFAULT '0', 
	tries INTEGER NOT NULL DEFAULT '0', 
	code NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	unread_since DATETIME2(6) NULL, 
	at DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	PRIMARY KEY (client_id, group_id, concern, item_id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_base') AND name = N'ix_sync_base_due') CREATE INDEX ix_sync_base_due ON sync_base (concern, due_at);
GO

IF OBJECT_ID(N'sync_status') IS NULL CREATE TABLE sync_status (
	client_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	group_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	concern NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	item_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	since DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	last_in_step_at DATETIME2(6) NULL, 
	code NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	field NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	message_pl NVARCHAR(max) NULL, 
	message_en NVARCHAR(max) NULL, 
	decision NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL, 
	decided_by NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL, 
	PRIMARY KEY (client_id, group_id, concern, item_id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_status') AND name = N'ix_sync_status_state') CREATE INDEX ix_sync_status_state ON sync_status (state, concern);
GO

IF OBJECT_ID(N'sync_history') IS NULL CREATE TABLE sync_history (
	id BIGINT NOT NULL IDENTITY, 
	at DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	run_id NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	client_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	group_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	concern NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	item_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	field NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	direction NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	reason NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	value_before NVARCHAR(max) NULL, 
	value_after NVARCHAR(max) NULL, 
	counts BIT NOT NULL DEFAULT 0, 
	passed BIT NOT NULL DEFAULT 0, 
	found_by NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	erased_at DATETIME2(6) NULL, 
	PRIMARY KEY (id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_history') AND name = N'ix_sync_history_client') CREATE INDEX ix_sync_history_client ON sync_history (client_id, at);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_history') AND name = N'ix_sync_history_counts') CREATE INDEX ix_sync_history_counts ON sync_history (concern, counts, at);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_history') AND name = N'ix_sync_history_erased') CREATE INDEX ix_sync_history_erased ON sync_history (erased_at, at);
GO

IF OBJECT_ID(N'sync_conflicts') IS NULL CREATE TABLE sync_conflicts (
	id BIGINT NOT NULL IDENTITY, 
	client_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	concern NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	item_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	field NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	erp_value NVARCHAR(max) NULL, 
	panel_value NVARCHAR(max) NULL, 
	base_value NVARCHAR(max) NULL, 
	raised_at DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	decision NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL, 
	decided_by NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL, 
	decided_at DATETIME2(6) NULL, 
	closed_at DATETIME2(6) NULL, 
	erased_at DATETIME2(6) NULL, 
	PRIMARY KEY (id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_conflicts') AND name = N'ix_sync_conflicts_client') CREATE INDEX ix_sync_conflicts_client ON sync_conflicts (client_id, concern, closed_at);
GO

IF OBJECT_ID(N'sync_matches') IS NULL CREATE TABLE sync_matches (
	client_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	panel_client_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	matched_by NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL, 
	decision NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL, 
	decided_by NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL, 
	raised_at DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	PRIMARY KEY (client_id, panel_client_id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_matches') AND name = N'ix_sync_matches_panel_client') CREATE INDEX ix_sync_matches_panel_client ON sync_matches (panel_client_id);
GO

IF OBJECT_ID(N'sync_exclusions') IS NULL CREATE TABLE sync_exclusions (
	client_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	concern NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	reason NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL, 
	PRIMARY KEY (client_id, concern)
);
GO

IF OBJECT_ID(N'sync_panel_accounts') IS NULL CREATE TABLE sync_panel_accounts (
	panel_client_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	login NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	external_code NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	code_key NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	tax_number NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	mail NVARCHAR(350) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	telephone NVARCHAR(150) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	modified_at DATETIME2(6) NULL, 
	guest BIT NOT NULL DEFAULT 0, 
	registered DATE NULL, 
	seen_at DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	PRIMARY KEY (panel_client_id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_panel_accounts') AND name = N'ix_sync_panel_accounts_code_key') CREATE INDEX ix_sync_panel_accounts_code_key ON sync_panel_accounts (code_key);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_panel_accounts') AND name = N'ix_sync_panel_accounts_mail') CREATE INDEX ix_sync_panel_accounts_mail ON sync_panel_accounts (mail);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_panel_accounts') AND name = N'ix_sync_panel_accounts_modified_at') CREATE INDEX ix_sync_panel_accounts_modified_at ON sync_panel_accounts (modified_at);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_panel_accounts') AND name = N'ix_sync_panel_accounts_registered') CREATE INDEX ix_sync_panel_accounts_registered ON sync_panel_accounts (registered);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_panel_accounts') AND name = N'ix_sync_panel_accounts_tax_number') CREATE INDEX ix_sync_panel_accounts_tax_number ON sync_panel_accounts (tax_number);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_panel_accounts') AND name = N'ix_sync_panel_accounts_telephone') CREATE INDEX ix_sync_panel_accounts_telephone ON sync_panel_accounts (telephone);
GO

IF OBJECT_ID(N'sync_forgotten') IS NULL CREATE TABLE sync_forgotten (
	digest NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	client NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	forgotten_at DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	swept_at DATETIME2(6) NULL, 
	modified_at DATETIME2(6) NULL, 
	registered DATE NULL, 
	seen_at DATETIME2(6) NULL, 
	PRIMARY KEY (digest)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_forgotten') AND name = N'ix_sync_forgotten_client') CREATE INDEX ix_sync_forgotten_client ON sync_forgotten (client);
GO

IF OBJECT_ID(N'sync_prices') IS NULL CREATE TABLE sync_prices (
	group_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	item_type NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	item_id NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	price NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NULL, 
	currency NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	refused NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	sent_at DATETIME2(6) NULL, 
	PRIMARY KEY (group_id, item_type, item_id)
);
GO

IF OBJECT_ID(N'sync_pauses') IS NULL CREATE TABLE sync_pauses (
	concern NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL, 
	reason NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	code NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	paused_at DATETIME2(6) NULL, 
	released_at DATETIME2(6) NULL, 
	PRIMARY KEY (concern)
);
GO

IF OBJECT_ID(N'sync_owner') IS NULL CREATE TABLE sync_owner (
	id INTEGER NOT NULL, 
	installation NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	since DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	former NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	PRIMARY KEY (id)
);
GO

IF OBJECT_ID(N'sync_plan') IS NULL CREATE TABLE sync_plan (
	id BIGINT NOT NULL IDENTITY, 
	planned_at DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	client_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	group_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	concern NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	item_id NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	action NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	field NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	direction NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	value_from NVARCHAR(max) NULL, 
	value_to NVARCHAR(max) NULL, 
	reason NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	decision NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL, 
	decided_by NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL, 
	outcome NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL, 
	PRIMARY KEY (id)
);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_plan') AND name = N'ix_sync_plan_client') CREATE INDEX ix_sync_plan_client ON sync_plan (client_id, group_id, concern);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'sync_plan') AND name = N'ix_sync_plan_concern') CREATE INDEX ix_sync_plan_concern ON sync_plan (concern, outcome, decision);
GO

IF OBJECT_ID(N'change_log_seq') IS NULL CREATE SEQUENCE change_log_seq AS BIGINT START WITH 1;
GO

IF OBJECT_ID(N'change_log') IS NULL CREATE TABLE change_log (
	seq BIGINT NOT NULL DEFAULT (NEXT VALUE FOR change_log_seq), 
	table_name NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	client_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	group_id NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	row_id NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	operation NVARCHAR(1) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '', 
	logged_at DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	PRIMARY KEY (seq)
);
GO

IF OBJECT_ID(N'sync_schema') IS NULL CREATE TABLE sync_schema (
	version INTEGER NOT NULL, 
	applied_at DATETIME2(6) NOT NULL DEFAULT (SYSUTCDATETIME()), 
	PRIMARY KEY (version)
);
GO

IF OBJECT_ID(N'kartoteka_clients_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_clients_log ON clients AFTER INSERT, UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''clients'', COALESCE(CAST(old.id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.id AS NVARCHAR(255)), N''''), 400), N''D'' FROM deleted AS old
  WHERE NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.id = old.id);
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''clients'', COALESCE(CAST(new.id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.id AS NVARCHAR(255)), N''''), 400), CASE WHEN EXISTS (SELECT 1 FROM deleted AS old WHERE new.id = old.id) THEN N''U'' ELSE N''I'' END
  FROM inserted AS new;
END');
GO

IF OBJECT_ID(N'kartoteka_delivery_addresses_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_delivery_addresses_log ON delivery_addresses AFTER INSERT, UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''delivery_addresses'', COALESCE(CAST(old.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.id AS NVARCHAR(255)), N''''), 400), N''D'' FROM deleted AS old
  WHERE NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.id = old.id AND EXISTS (SELECT new.client_id INTERSECT SELECT old.client_id));
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''delivery_addresses'', COALESCE(CAST(new.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.id AS NVARCHAR(255)), N''''), 400), CASE WHEN EXISTS (SELECT 1 FROM deleted AS old WHERE new.id = old.id AND EXISTS (SELECT new.client_id INTERSECT SELECT old.client_id)) THEN N''U'' ELSE N''I'' END
  FROM inserted AS new;
END');
GO

IF OBJECT_ID(N'kartoteka_client_shops_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_client_shops_log ON client_shops AFTER INSERT, UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''client_shops'', COALESCE(CAST(old.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.shop_id AS NVARCHAR(255)), N''''), 400), N''D'' FROM deleted AS old
  WHERE NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.client_id = old.client_id AND new.shop_id = old.shop_id);
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''client_shops'', COALESCE(CAST(new.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.shop_id AS NVARCHAR(255)), N''''), 400), CASE WHEN EXISTS (SELECT 1 FROM deleted AS old WHERE new.client_id = old.client_id AND new.shop_id = old.shop_id) THEN N''U'' ELSE N''I'' END
  FROM inserted AS new;
END');
GO

IF OBJECT_ID(N'kartoteka_discount_groups_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_discount_groups_log ON discount_groups AFTER INSERT, UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  INSERT INTO change_log (table_name, group_id, row_id, operation)
  SELECT N''discount_groups'', COALESCE(CAST(old.id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.id AS NVARCHAR(255)), N''''), 400), N''D'' FROM deleted AS old
  WHERE NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.id = old.id);
  INSERT INTO change_log (table_name, group_id, row_id, operation)
  SELECT N''discount_groups'', COALESCE(CAST(new.id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.id AS NVARCHAR(255)), N''''), 400), CASE WHEN EXISTS (SELECT 1 FROM deleted AS old WHERE new.id = old.id) THEN N''U'' ELSE N''I'' END
  FROM inserted AS new;
END');
GO

IF OBJECT_ID(N'kartoteka_discount_group_items_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_discount_group_items_log ON discount_group_items AFTER INSERT, UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  INSERT INTO change_log (table_name, group_id, row_id, operation)
  SELECT N''discount_group_items'', COALESCE(CAST(old.group_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.item_type AS NVARCHAR(255)), N'''') + N'':'' + COALESCE(CAST(old.item_id AS NVARCHAR(255)), N''''), 400), N''D'' FROM deleted AS old
  WHERE NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.group_id = old.group_id AND new.item_type = old.item_type AND new.item_id = old.item_id);
  INSERT INTO change_log (table_name, group_id, row_id, operation)
  SELECT N''discount_group_items'', COALESCE(CAST(new.group_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.item_type AS NVARCHAR(255)), N'''') + N'':'' + COALESCE(CAST(new.item_id AS NVARCHAR(255)), N''''), 400), CASE WHEN EXISTS (SELECT 1 FROM deleted AS old WHERE new.group_id = old.group_id AND new.item_type = old.item_type AND new.item_id = old.item_id) THEN N''U'' ELSE N''I'' END
  FROM inserted AS new;
END');
GO

IF OBJECT_ID(N'kartoteka_client_credit_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_client_credit_log ON client_credit AFTER INSERT, UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''client_credit'', COALESCE(CAST(old.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.client_id AS NVARCHAR(255)), N''''), 400), N''D'' FROM deleted AS old
  WHERE NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.client_id = old.client_id);
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''client_credit'', COALESCE(CAST(new.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.client_id AS NVARCHAR(255)), N''''), 400), CASE WHEN EXISTS (SELECT 1 FROM deleted AS old WHERE new.client_id = old.client_id) THEN N''U'' ELSE N''I'' END
  FROM inserted AS new;
END');
GO

IF OBJECT_ID(N'kartoteka_incoming_clients_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_incoming_clients_log ON incoming_clients AFTER UPDATE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  IF NOT UPDATE(client_id) RETURN;
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''incoming_clients'', COALESCE(CAST(new.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.panel_client_id AS NVARCHAR(255)), N''''), 400), N''U'' FROM inserted AS new;
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''incoming_clients'', COALESCE(CAST(old.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.panel_client_id AS NVARCHAR(255)), N''''), 400), N''U'' FROM deleted AS old
  WHERE old.client_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.panel_client_id = old.panel_client_id AND EXISTS (SELECT new.client_id INTERSECT SELECT old.client_id));
END');
GO

IF OBJECT_ID(N'kartoteka_sync_matches_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_sync_matches_log ON sync_matches AFTER UPDATE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  IF NOT UPDATE(decision) RETURN;
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''sync_matches'', COALESCE(CAST(new.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.panel_client_id AS NVARCHAR(255)), N''''), 400), N''U'' FROM inserted AS new;
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''sync_matches'', COALESCE(CAST(old.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.panel_client_id AS NVARCHAR(255)), N''''), 400), N''U'' FROM deleted AS old
  WHERE old.client_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.client_id = old.client_id AND new.panel_client_id = old.panel_client_id);
  UPDATE sync_matches SET decided_by = CASE WHEN decision IS NULL THEN NULL ELSE ORIGINAL_LOGIN() END
  WHERE EXISTS (SELECT 1 FROM inserted AS new JOIN deleted AS old ON new.client_id = old.client_id AND new.panel_client_id = old.panel_client_id WHERE new.client_id = sync_matches.client_id AND new.panel_client_id = sync_matches.panel_client_id AND ((new.decision IS NULL AND new.decided_by IS NOT NULL) OR (new.decision IS NOT NULL AND NOT EXISTS (SELECT new.decision INTERSECT SELECT old.decision) AND EXISTS (SELECT new.decided_by INTERSECT SELECT old.decided_by))));
END');
GO

IF OBJECT_ID(N'kartoteka_sync_conflicts_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_sync_conflicts_log ON sync_conflicts AFTER UPDATE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  IF NOT UPDATE(decision) RETURN;
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''sync_conflicts'', COALESCE(CAST(new.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.id AS NVARCHAR(255)), N''''), 400), N''U'' FROM inserted AS new;
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''sync_conflicts'', COALESCE(CAST(old.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.id AS NVARCHAR(255)), N''''), 400), N''U'' FROM deleted AS old
  WHERE old.client_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.id = old.id AND EXISTS (SELECT new.client_id INTERSECT SELECT old.client_id));
  UPDATE sync_conflicts SET decided_by = CASE WHEN decision IS NULL THEN NULL ELSE ORIGINAL_LOGIN() END
  WHERE EXISTS (SELECT 1 FROM inserted AS new JOIN deleted AS old ON new.id = old.id WHERE new.id = sync_conflicts.id AND ((new.decision IS NULL AND new.decided_by IS NOT NULL) OR (new.decision IS NOT NULL AND NOT EXISTS (SELECT new.decision INTERSECT SELECT old.decision) AND EXISTS (SELECT new.decided_by INTERSECT SELECT old.decided_by))));
END');
GO

IF OBJECT_ID(N'kartoteka_sync_status_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_sync_status_log ON sync_status AFTER UPDATE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  IF NOT UPDATE(decision) RETURN;
  INSERT INTO change_log (table_name, client_id, group_id, row_id, operation)
  SELECT N''sync_status'', COALESCE(CAST(new.client_id AS NVARCHAR(255)), N''''), COALESCE(CAST(new.group_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.concern AS NVARCHAR(255)), N'''') + N'':'' + COALESCE(CAST(new.item_id AS NVARCHAR(255)), N''''), 400), N''U'' FROM inserted AS new;
  INSERT INTO change_log (table_name, client_id, group_id, row_id, operation)
  SELECT N''sync_status'', COALESCE(CAST(old.client_id AS NVARCHAR(255)), N''''), COALESCE(CAST(old.group_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.concern AS NVARCHAR(255)), N'''') + N'':'' + COALESCE(CAST(old.item_id AS NVARCHAR(255)), N''''), 400), N''U'' FROM deleted AS old
  WHERE old.client_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.client_id = old.client_id AND new.group_id = old.group_id AND new.concern = old.concern AND new.item_id = old.item_id);
  UPDATE sync_status SET decided_by = CASE WHEN decision IS NULL THEN NULL ELSE ORIGINAL_LOGIN() END
  WHERE EXISTS (SELECT 1 FROM inserted AS new JOIN deleted AS old ON new.client_id = old.client_id AND new.group_id = old.group_id AND new.concern = old.concern AND new.item_id = old.item_id WHERE new.client_id = sync_status.client_id AND new.group_id = sync_status.group_id AND new.concern = sync_status.concern AND new.item_id = sync_status.item_id AND ((new.decision IS NULL AND new.decided_by IS NOT NULL) OR (new.decision IS NOT NULL AND NOT EXISTS (SELECT new.decision INTERSECT SELECT old.decision) AND EXISTS (SELECT new.decided_by INTERSECT SELECT old.decided_by))));
END');
GO

IF OBJECT_ID(N'kartoteka_sync_plan_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_sync_plan_log ON sync_plan AFTER UPDATE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  IF NOT UPDATE(decision) RETURN;
  INSERT INTO change_log (table_name, client_id, group_id, row_id, operation)
  SELECT N''sync_plan'', COALESCE(CAST(new.client_id AS NVARCHAR(255)), N''''), COALESCE(CAST(new.group_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.id AS NVARCHAR(255)), N''''), 400), N''U'' FROM inserted AS new;
  INSERT INTO change_log (table_name, client_id, group_id, row_id, operation)
  SELECT N''sync_plan'', COALESCE(CAST(old.client_id AS NVARCHAR(255)), N''''), COALESCE(CAST(old.group_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.id AS NVARCHAR(255)), N''''), 400), N''U'' FROM deleted AS old
  WHERE old.client_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.id = old.id AND EXISTS (SELECT new.client_id INTERSECT SELECT old.client_id));
  UPDATE sync_plan SET decided_by = CASE WHEN decision IS NULL THEN NULL ELSE ORIGINAL_LOGIN() END
  WHERE EXISTS (SELECT 1 FROM inserted AS new JOIN deleted AS old ON new.id = old.id WHERE new.id = sync_plan.id AND ((new.decision IS NULL AND new.decided_by IS NOT NULL) OR (new.decision IS NOT NULL AND NOT EXISTS (SELECT new.decision INTERSECT SELECT old.decision) AND EXISTS (SELECT new.decided_by INTERSECT SELECT old.decided_by))));
END');
GO

IF OBJECT_ID(N'kartoteka_sync_exclusions_log', N'TR') IS NULL EXEC(N'CREATE TRIGGER kartoteka_sync_exclusions_log ON sync_exclusions AFTER INSERT, UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  SET ROWCOUNT 0;
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''sync_exclusions'', COALESCE(CAST(old.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(old.concern AS NVARCHAR(255)), N''''), 400), N''D'' FROM deleted AS old
  WHERE NOT EXISTS (SELECT 1 FROM inserted AS new WHERE new.client_id = old.client_id AND new.concern = old.concern);
  INSERT INTO change_log (table_name, client_id, row_id, operation)
  SELECT N''sync_exclusions'', COALESCE(CAST(new.client_id AS NVARCHAR(255)), N''''), LEFT(COALESCE(CAST(new.concern AS NVARCHAR(255)), N''''), 400), CASE WHEN EXISTS (SELECT 1 FROM deleted AS old WHERE new.client_id = old.client_id AND new.concern = old.concern) THEN N''U'' ELSE N''I'' END
  FROM inserted AS new;
END');
GO

IF OBJECT_ID(N'sync_open', N'V') IS NULL EXEC(N'CREATE VIEW sync_open AS SELECT 1 AS one');
GO

ALTER VIEW sync_open AS SELECT sync_status.client_id, sync_status.group_id, sync_status.concern, sync_status.item_id, sync_status.field, sync_status.state, sync_status.code, sync_status.since, sync_status.message_pl, sync_status.message_en 
FROM sync_status 
WHERE (sync_status.state NOT IN (N'in_step', N'excluded')) OR sync_status.code = N'forgotten' UNION ALL SELECT sync_conflicts.client_id AS client_id, N'' AS group_id, sync_conflicts.concern AS concern, sync_conflicts.item_id AS item_id, sync_conflicts.field AS field, N'conflict' AS state, N'conflict' AS code, sync_conflicts.raised_at AS since, N'Po obu stronach wpisano różne wartości: ' + sync_conflicts.field + N'. Uruchom ''kartoteka conflicts'' i rozstrzygnij albo UPDATE sync_conflicts SET decision = ''erp'' lub ''panel'' w otwartym wierszu tego klienta.' AS message_pl, N'Both sides were edited, to different values: ' + sync_conflicts.field + N'. Run ''kartoteka conflicts'' and decide, or UPDATE sync_conflicts SET decision = ''erp'' or ''panel'' on this client''s open row.' AS message_en 
FROM sync_conflicts 
WHERE sync_conflicts.closed_at IS NULL AND NOT (EXISTS (SELECT sync_status.client_id 
FROM sync_status 
WHERE sync_status.client_id = sync_conflicts.client_id AND sync_status.concern = sync_conflicts.concern AND sync_status.item_id = sync_conflicts.item_id AND sync_status.field = sync_conflicts.field AND sync_status.group_id = '' AND sync_status.state = N'conflict')) UNION ALL SELECT N'' AS client_id, N'' AS group_id, N'accounts' AS concern, incoming_clients.panel_client_id AS item_id, N'client_id' AS field, N'waiting' AS state, N'not_a_client' AS code, incoming_clients.seen_at AS since, N'Ten klient zarejestrował się w sklepie i nie ma go jeszcze w clients. Załóż mu wiersz w clients i wpisz jego kod w incoming_clients.client_id.' AS message_pl, N'This customer registered in the shop and is not in clients yet. Make a row in clients, and write its code into incoming_clients.client_id.' AS message_en 
FROM incoming_clients 
WHERE coalesce(incoming_clients.client_id, '') = '' UNION ALL SELECT sync_conflicts.client_id AS client_id, N'' AS group_id, sync_conflicts.concern AS concern, sync_conflicts.item_id AS item_id, sync_conflicts.field AS field, N'held' AS state, N'bad_decision' AS code, sync_conflicts.raised_at AS since, N'Decyzja ''' + sync_conflicts.decision + N''' nie rozstrzyga konfliktu: ' + sync_conflicts.field + N'. Wpisz w sync_conflicts.decision słowo erp albo panel.' AS message_pl, N'The decision ''' + sync_conflicts.decision + N''' settles no conflict: ' + sync_conflicts.field + N'. Write erp or panel into sync_conflicts.decision.' AS message_en 
FROM sync_conflicts 
WHERE sync_conflicts.closed_at IS NULL AND (lower(LTRIM(RTRIM(coalesce(sync_conflicts.decision, '')))) NOT IN ('', 'erp', 'panel')) UNION ALL SELECT sync_matches.client_id AS client_id, N'' AS group_id, N'accounts' AS concern, sync_matches.panel_client_id AS item_id, N'decision' AS field, N'held' AS state, N'bad_decision' AS code, sync_matches.raised_at AS since, N'Decyzja ''' + sync_matches.decision + N''' nie mówi, czyje jest konto. Wpisz w sync_matches.decision słowo link w jednym wierszu klienta albo create.' AS message_pl, N'The decision ''' + sync_matches.decision + N''' does not say whose the account is. Write link into sync_matches.decision of one row of the client, or create.' AS message_en 
FROM sync_matches 
WHERE (lower(LTRIM(RTRIM(coalesce(sync_matches.decision, '')))) NOT IN ('', 'link', 'create'));
GO

INSERT INTO sync_schema (version) SELECT 4 AS version WHERE NOT EXISTS (SELECT 1 FROM sync_schema);
GO

