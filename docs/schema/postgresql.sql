SET client_encoding = 'UTF8';

CREATE TABLE IF NOT EXISTS clients (
	id VARCHAR(40) NOT NULL, 
	login VARCHAR(40), 
	email VARCHAR(350), 
	phone VARCHAR(150), 
	client_type VARCHAR(16), 
	first_name VARCHAR(100), 
	last_name VARCHAR(100), 
	company VARCHAR(300), 
	nip VARCHAR(30), 
	street VARCHAR(200), 
	zip_code VARCHAR(20), 
	city VARCHAR(100), 
	province VARCHAR(40), 
	country_code CHAR(2) DEFAULT 'PL', 
	language CHAR(3), 
	currency CHAR(3), 
	wholesaler BOOLEAN, 
	vat_eu BOOLEAN, 
	local_government BOOLEAN, 
	active BOOLEAN DEFAULT true, 
	discount_group_id VARCHAR(40), 
	PRIMARY KEY (id)
);

CREATE INDEX IF NOT EXISTS ix_clients_discount_group_id ON clients (discount_group_id);

CREATE TABLE IF NOT EXISTS delivery_addresses (
	id VARCHAR(40) NOT NULL, 
	client_id VARCHAR(40), 
	first_name VARCHAR(100), 
	last_name VARCHAR(100), 
	additional VARCHAR(300), 
	phone VARCHAR(150), 
	street VARCHAR(200), 
	zip_code VARCHAR(20), 
	city VARCHAR(100), 
	country_code CHAR(2) DEFAULT 'PL', 
	PRIMARY KEY (id)
);

CREATE INDEX IF NOT EXISTS ix_delivery_addresses_client_id ON delivery_addresses (client_id);

CREATE TABLE IF NOT EXISTS client_shops (
	client_id VARCHAR(40) NOT NULL, 
	shop_id INTEGER NOT NULL, 
	PRIMARY KEY (client_id, shop_id)
);

CREATE TABLE IF NOT EXISTS discount_groups (
	id VARCHAR(40) NOT NULL, 
	name VARCHAR(200), 
	PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS discount_group_items (
	group_id VARCHAR(40) NOT NULL, 
	item_type VARCHAR(16) NOT NULL, 
	item_id INTEGER NOT NULL, 
	price NUMERIC(12, 2), 
	rebate_percent NUMERIC(5, 2), 
	base_price NUMERIC(12, 2), 
	currency CHAR(3), 
	valid_from TIMESTAMP WITHOUT TIME ZONE, 
	valid_to TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (group_id, item_type, item_id)
);

CREATE INDEX IF NOT EXISTS ix_discount_group_items_valid_from ON discount_group_items (valid_from);

CREATE INDEX IF NOT EXISTS ix_discount_group_items_valid_to ON discount_group_items (valid_to);

CREATE TABLE IF NOT EXISTS client_credit (
	client_id VARCHAR(40) NOT NULL, 
	credit_allowed BOOLEAN, 
	credit_limit NUMERIC(12, 2), 
	balance NUMERIC(12, 2), 
	payment_days INTEGER, 
	currency CHAR(3), 
	overdue NUMERIC(12, 2), 
	as_of TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (client_id)
);

CREATE INDEX IF NOT EXISTS ix_client_credit_as_of ON client_credit (as_of);

CREATE TABLE IF NOT EXISTS incoming_clients (
	panel_client_id VARCHAR(40) NOT NULL, 
	email VARCHAR(350), 
	phone VARCHAR(150), 
	client_type VARCHAR(16), 
	first_name VARCHAR(100), 
	last_name VARCHAR(100), 
	company VARCHAR(300), 
	nip VARCHAR(30), 
	street VARCHAR(200), 
	zip_code VARCHAR(20), 
	city VARCHAR(100), 
	province VARCHAR(40), 
	country_code CHAR(2) DEFAULT 'PL', 
	language CHAR(3), 
	currency CHAR(3), 
	wholesaler BOOLEAN, 
	vat_eu BOOLEAN, 
	local_government BOOLEAN, 
	seen_at TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	client_id VARCHAR(40), 
	PRIMARY KEY (panel_client_id)
);

CREATE INDEX IF NOT EXISTS ix_incoming_clients_client_id ON incoming_clients (client_id);

CREATE TABLE IF NOT EXISTS sync_links (
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	panel_client_id VARCHAR(40) NOT NULL, 
	panel_login VARCHAR(255), 
	linked_at TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	linked_by VARCHAR(16), 
	former_code VARCHAR(255) DEFAULT '' NOT NULL, 
	PRIMARY KEY (client_id)
);

CREATE UNIQUE INDEX IF NOT EXISTS ux_sync_links_panel_client ON sync_links (panel_client_id);

CREATE TABLE IF NOT EXISTS sync_base (
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	group_id VARCHAR(255) DEFAULT '' NOT NULL, 
	concern VARCHAR(32) NOT NULL, 
	item_id VARCHAR(100) DEFAULT '' NOT NULL, 
	values TEXT, 
	panel_item_id VARCHAR(40), 
	notes TEXT, 
	intent TEXT, 
	due_at TIMESTAMP WITHOUT TIME ZONE, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	tries INTEGER DEFAULT '0' NOT NULL, 
	code VARCHAR(64) DEFAULT '' NOT NULL, 
	unread_since TIMESTAMP WITHOUT TIME ZONE, 
	at TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	PRIMARY KEY (client_id, group_id, concern, item_id)
);

CREATE INDEX IF NOT EXISTS ix_sync_base_due ON sync_base (concern, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS sync_status (
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	group_id VARCHAR(255) DEFAULT '' NOT NULL, 
	concern VARCHAR(32) NOT NULL, 
	item_id VARCHAR(100) DEFAULT '' NOT NULL, 
	state VARCHAR(16) DEFAULT '' NOT NULL, 
	since TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	last_in_step_at TIMESTAMP WITHOUT TIME ZONE, 
	code VARCHAR(64) DEFAULT '' NOT NULL, 
	field VARCHAR(64) DEFAULT '' NOT NULL, 
	message_pl TEXT, 
	message_en TEXT, 
	decision VARCHAR(16), 
	decided_by VARCHAR(255), 
	PRIMARY KEY (client_id, group_id, concern, item_id)
);

CREATE INDEX IF NOT EXISTS ix_sync_status_state ON sync_status (state, concern);

CREATE TABLE IF NOT EXISTS sync_history (
	id BIGINT GENERATED BY DEFAULT AS IDENTITY, 
	at TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	run_id VARCHAR(64) DEFAULT '' NOT NULL, 
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	group_id VARCHAR(255) DEFAULT '' NOT NULL, 
	concern VARCHAR(32) DEFAULT '' NOT NULL, 
	item_id VARCHAR(100) DEFAULT '' NOT NULL, 
	field VARCHAR(64) DEFAULT '' NOT NULL, 
	direction VARCHAR(16) DEFAULT '' NOT NULL, 
	reason VARCHAR(16) DEFAULT '' NOT NULL, 
	value_before TEXT, 
	value_after TEXT, 
	counts BOOLEAN DEFAULT false NOT NULL, 
	passed BOOLEAN DEFAULT false NOT NULL, 
	found_by VARCHAR(16) DEFAULT '' NOT NULL, 
	erased_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (id)
);

CREATE INDEX IF NOT EXISTS ix_sync_history_client ON sync_history (client_id, at);

CREATE INDEX IF NOT EXISTS ix_sync_history_counts ON sync_history (concern, counts, at);

CREATE INDEX IF NOT EXISTS ix_sync_history_erased ON sync_history (erased_at, at);

CREATE TABLE IF NOT EXISTS sync_conflicts (
	id BIGINT GENERATED BY DEFAULT AS IDENTITY, 
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	concern VARCHAR(32) DEFAULT '' NOT NULL, 
	item_id VARCHAR(100) DEFAULT '' NOT NULL, 
	field VARCHAR(64) DEFAULT '' NOT NULL, 
	erp_value TEXT, 
	panel_value TEXT, 
	base_value TEXT, 
	raised_at TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	decision VARCHAR(16), 
	decided_by VARCHAR(255), 
	decided_at TIMESTAMP WITHOUT TIME ZONE, 
	closed_at TIMESTAMP WITHOUT TIME ZONE, 
	erased_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (id)
);

CREATE INDEX IF NOT EXISTS ix_sync_conflicts_client ON sync_conflicts (client_id, concern, closed_at);

CREATE TABLE IF NOT EXISTS sync_matches (
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	panel_client_id VARCHAR(40) NOT NULL, 
	matched_by VARCHAR(32), 
	decision VARCHAR(16), 
	decided_by VARCHAR(255), 
	raised_at TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	PRIMARY KEY (client_id, panel_client_id)
);

CREATE INDEX IF NOT EXISTS ix_sync_matches_panel_client ON sync_matches (panel_client_id);

CREATE TABLE IF NOT EXISTS sync_exclusions (
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	concern VARCHAR(32) NOT NULL, 
	reason VARCHAR(255), 
	PRIMARY KEY (client_id, concern)
);

CREATE TABLE IF NOT EXISTS sync_panel_accounts (
	panel_client_id VARCHAR(40) NOT NULL, 
	login VARCHAR(255) DEFAULT '' NOT NULL, 
	external_code VARCHAR(255) DEFAULT '' NOT NULL, 
	code_key VARCHAR(255) DEFAULT '' NOT NULL, 
	tax_number VARCHAR(100) DEFAULT '' NOT NULL, 
	mail VARCHAR(350) DEFAULT '' NOT NULL, 
	telephone VARCHAR(150) DEFAULT '' NOT NULL, 
	modified_at TIMESTAMP WITHOUT TIME ZONE, 
	guest BOOLEAN DEFAULT false NOT NULL, 
	registered DATE, 
	seen_at TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	PRIMARY KEY (panel_client_id)
);

CREATE INDEX IF NOT EXISTS ix_sync_panel_accounts_code_key ON sync_panel_accounts (code_key);

CREATE INDEX IF NOT EXISTS ix_sync_panel_accounts_mail ON sync_panel_accounts (mail);

CREATE INDEX IF NOT EXISTS ix_sync_panel_accounts_modified_at ON sync_panel_accounts (modified_at);

CREATE INDEX IF NOT EXISTS ix_sync_panel_accounts_registered ON sync_panel_accounts (registered);

CREATE INDEX IF NOT EXISTS ix_sync_panel_accounts_tax_number ON sync_panel_accounts (tax_number);

CREATE INDEX IF NOT EXISTS ix_sync_panel_accounts_telephone ON sync_panel_accounts (telephone);

CREATE TABLE IF NOT EXISTS sync_forgotten (
	digest VARCHAR(40) NOT NULL, 
	client VARCHAR(40) DEFAULT '' NOT NULL, 
	forgotten_at TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	swept_at TIMESTAMP WITHOUT TIME ZONE, 
	modified_at TIMESTAMP WITHOUT TIME ZONE, 
	registered DATE, 
	seen_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (digest)
);

CREATE INDEX IF NOT EXISTS ix_sync_forgotten_client ON sync_forgotten (client);

CREATE TABLE IF NOT EXISTS sync_prices (
	group_id VARCHAR(255) DEFAULT '' NOT NULL, 
	item_type VARCHAR(16) NOT NULL, 
	item_id VARCHAR(40) NOT NULL, 
	price VARCHAR(40), 
	currency VARCHAR(16) DEFAULT '' NOT NULL, 
	refused VARCHAR(64) DEFAULT '' NOT NULL, 
	sent_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (group_id, item_type, item_id)
);

CREATE TABLE IF NOT EXISTS sync_pauses (
	concern VARCHAR(32) NOT NULL, 
	reason VARCHAR(64) DEFAULT '' NOT NULL, 
	code VARCHAR(64) DEFAULT '' NOT NULL, 
	paused_at TIMESTAMP WITHOUT TIME ZONE, 
	released_at TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (concern)
);

CREATE TABLE IF NOT EXISTS sync_owner (
	id INTEGER NOT NULL, 
	installation VARCHAR(255) DEFAULT '' NOT NULL, 
	since TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	former VARCHAR(255) DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS sync_plan (
	id BIGINT GENERATED BY DEFAULT AS IDENTITY, 
	planned_at TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	group_id VARCHAR(255) DEFAULT '' NOT NULL, 
	concern VARCHAR(32) DEFAULT '' NOT NULL, 
	item_id VARCHAR(100) DEFAULT '' NOT NULL, 
	action VARCHAR(16) DEFAULT '' NOT NULL, 
	field VARCHAR(64) DEFAULT '' NOT NULL, 
	direction VARCHAR(16) DEFAULT '' NOT NULL, 
	value_from TEXT, 
	value_to TEXT, 
	reason VARCHAR(64) DEFAULT '' NOT NULL, 
	decision VARCHAR(16), 
	decided_by VARCHAR(255), 
	outcome VARCHAR(16), 
	PRIMARY KEY (id)
);

CREATE INDEX IF NOT EXISTS ix_sync_plan_client ON sync_plan (client_id, group_id, concern);

CREATE INDEX IF NOT EXISTS ix_sync_plan_concern ON sync_plan (concern, outcome, decision);

CREATE TABLE IF NOT EXISTS change_log (
	seq BIGINT GENERATED BY DEFAULT AS IDENTITY, 
	table_name VARCHAR(64) DEFAULT '' NOT NULL, 
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	group_id VARCHAR(255) DEFAULT '' NOT NULL, 
	row_id VARCHAR(400) DEFAULT '' NOT NULL, 
	operation VARCHAR(1) DEFAULT '' NOT NULL, 
	logged_at TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	PRIMARY KEY (seq)
);

CREATE TABLE IF NOT EXISTS sync_schema (
	version INTEGER NOT NULL, 
	applied_at TIMESTAMP WITHOUT TIME ZONE DEFAULT (clock_timestamp() AT TIME ZONE 'utc') NOT NULL, 
	PRIMARY KEY (version)
);

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_clients() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format($log$ INSERT INTO change_log (table_name, client_id, row_id, operation) SELECT 'clients', coalesce(t.id::text, ''), concat_ws(':', t.id::text), 'D' FROM %I.%I AS t $log$, TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.id IS NOT DISTINCT FROM NEW.id THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', coalesce(NEW.id::text, ''), concat_ws(':', NEW.id::text), 'U');
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', coalesce(OLD.id::text, ''), concat_ws(':', OLD.id::text), 'D');
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', coalesce(NEW.id::text, ''), concat_ws(':', NEW.id::text), 'I');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_clients() FROM PUBLIC;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'clients'::regclass AND tgname = 'kartoteka_log') THEN CREATE TRIGGER kartoteka_log AFTER INSERT OR UPDATE OR DELETE ON clients FOR EACH ROW EXECUTE FUNCTION kartoteka_log_clients(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'clients'::regclass AND tgname = 'kartoteka_truncate') THEN CREATE TRIGGER kartoteka_truncate BEFORE TRUNCATE ON clients FOR EACH STATEMENT EXECUTE FUNCTION kartoteka_log_clients(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_delivery_addresses() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format($log$ INSERT INTO change_log (table_name, client_id, row_id, operation) SELECT 'delivery_addresses', coalesce(t.client_id::text, ''), concat_ws(':', t.id::text), 'D' FROM %I.%I AS t $log$, TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.client_id IS NOT DISTINCT FROM NEW.client_id AND OLD.id IS NOT DISTINCT FROM NEW.id THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', coalesce(NEW.client_id::text, ''), concat_ws(':', NEW.id::text), 'U');
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', coalesce(OLD.client_id::text, ''), concat_ws(':', OLD.id::text), 'D');
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', coalesce(NEW.client_id::text, ''), concat_ws(':', NEW.id::text), 'I');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_delivery_addresses() FROM PUBLIC;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'delivery_addresses'::regclass AND tgname = 'kartoteka_log') THEN CREATE TRIGGER kartoteka_log AFTER INSERT OR UPDATE OR DELETE ON delivery_addresses FOR EACH ROW EXECUTE FUNCTION kartoteka_log_delivery_addresses(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'delivery_addresses'::regclass AND tgname = 'kartoteka_truncate') THEN CREATE TRIGGER kartoteka_truncate BEFORE TRUNCATE ON delivery_addresses FOR EACH STATEMENT EXECUTE FUNCTION kartoteka_log_delivery_addresses(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_client_shops() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format($log$ INSERT INTO change_log (table_name, client_id, row_id, operation) SELECT 'client_shops', coalesce(t.client_id::text, ''), concat_ws(':', t.shop_id::text), 'D' FROM %I.%I AS t $log$, TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.client_id IS NOT DISTINCT FROM NEW.client_id AND OLD.shop_id IS NOT DISTINCT FROM NEW.shop_id THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', coalesce(NEW.client_id::text, ''), concat_ws(':', NEW.shop_id::text), 'U');
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', coalesce(OLD.client_id::text, ''), concat_ws(':', OLD.shop_id::text), 'D');
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', coalesce(NEW.client_id::text, ''), concat_ws(':', NEW.shop_id::text), 'I');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_client_shops() FROM PUBLIC;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'client_shops'::regclass AND tgname = 'kartoteka_log') THEN CREATE TRIGGER kartoteka_log AFTER INSERT OR UPDATE OR DELETE ON client_shops FOR EACH ROW EXECUTE FUNCTION kartoteka_log_client_shops(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'client_shops'::regclass AND tgname = 'kartoteka_truncate') THEN CREATE TRIGGER kartoteka_truncate BEFORE TRUNCATE ON client_shops FOR EACH STATEMENT EXECUTE FUNCTION kartoteka_log_client_shops(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_discount_groups() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format($log$ INSERT INTO change_log (table_name, group_id, row_id, operation) SELECT 'discount_groups', coalesce(t.id::text, ''), concat_ws(':', t.id::text), 'D' FROM %I.%I AS t $log$, TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.id IS NOT DISTINCT FROM NEW.id THEN
    INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', coalesce(NEW.id::text, ''), concat_ws(':', NEW.id::text), 'U');
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', coalesce(OLD.id::text, ''), concat_ws(':', OLD.id::text), 'D');
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', coalesce(NEW.id::text, ''), concat_ws(':', NEW.id::text), 'I');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_discount_groups() FROM PUBLIC;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'discount_groups'::regclass AND tgname = 'kartoteka_log') THEN CREATE TRIGGER kartoteka_log AFTER INSERT OR UPDATE OR DELETE ON discount_groups FOR EACH ROW EXECUTE FUNCTION kartoteka_log_discount_groups(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'discount_groups'::regclass AND tgname = 'kartoteka_truncate') THEN CREATE TRIGGER kartoteka_truncate BEFORE TRUNCATE ON discount_groups FOR EACH STATEMENT EXECUTE FUNCTION kartoteka_log_discount_groups(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_discount_group_items() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format($log$ INSERT INTO change_log (table_name, group_id, row_id, operation) SELECT 'discount_group_items', coalesce(t.group_id::text, ''), concat_ws(':', t.item_type::text, t.item_id::text), 'D' FROM %I.%I AS t $log$, TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.group_id IS NOT DISTINCT FROM NEW.group_id AND OLD.item_type IS NOT DISTINCT FROM NEW.item_type AND OLD.item_id IS NOT DISTINCT FROM NEW.item_id THEN
    INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', coalesce(NEW.group_id::text, ''), concat_ws(':', NEW.item_type::text, NEW.item_id::text), 'U');
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', coalesce(OLD.group_id::text, ''), concat_ws(':', OLD.item_type::text, OLD.item_id::text), 'D');
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', coalesce(NEW.group_id::text, ''), concat_ws(':', NEW.item_type::text, NEW.item_id::text), 'I');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_discount_group_items() FROM PUBLIC;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'discount_group_items'::regclass AND tgname = 'kartoteka_log') THEN CREATE TRIGGER kartoteka_log AFTER INSERT OR UPDATE OR DELETE ON discount_group_items FOR EACH ROW EXECUTE FUNCTION kartoteka_log_discount_group_items(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'discount_group_items'::regclass AND tgname = 'kartoteka_truncate') THEN CREATE TRIGGER kartoteka_truncate BEFORE TRUNCATE ON discount_group_items FOR EACH STATEMENT EXECUTE FUNCTION kartoteka_log_discount_group_items(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_client_credit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format($log$ INSERT INTO change_log (table_name, client_id, row_id, operation) SELECT 'client_credit', coalesce(t.client_id::text, ''), concat_ws(':', t.client_id::text), 'D' FROM %I.%I AS t $log$, TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.client_id IS NOT DISTINCT FROM NEW.client_id THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', coalesce(NEW.client_id::text, ''), concat_ws(':', NEW.client_id::text), 'U');
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', coalesce(OLD.client_id::text, ''), concat_ws(':', OLD.client_id::text), 'D');
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', coalesce(NEW.client_id::text, ''), concat_ws(':', NEW.client_id::text), 'I');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_client_credit() FROM PUBLIC;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'client_credit'::regclass AND tgname = 'kartoteka_log') THEN CREATE TRIGGER kartoteka_log AFTER INSERT OR UPDATE OR DELETE ON client_credit FOR EACH ROW EXECUTE FUNCTION kartoteka_log_client_credit(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'client_credit'::regclass AND tgname = 'kartoteka_truncate') THEN CREATE TRIGGER kartoteka_truncate BEFORE TRUNCATE ON client_credit FOR EACH STATEMENT EXECUTE FUNCTION kartoteka_log_client_credit(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_incoming_clients() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('incoming_clients', coalesce(NEW.client_id::text, ''), concat_ws(':', NEW.panel_client_id::text), 'U');
  IF OLD.client_id <> NEW.client_id OR (OLD.client_id IS NOT NULL AND NEW.client_id IS NULL) THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('incoming_clients', coalesce(OLD.client_id::text, ''), concat_ws(':', OLD.panel_client_id::text), 'U');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_incoming_clients() FROM PUBLIC;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'incoming_clients'::regclass AND tgname = 'kartoteka_answer') THEN CREATE TRIGGER kartoteka_answer AFTER UPDATE OF client_id ON incoming_clients FOR EACH ROW EXECUTE FUNCTION kartoteka_log_incoming_clients(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_sync_matches() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_matches', coalesce(NEW.client_id::text, ''), concat_ws(':', NEW.panel_client_id::text), 'U');
  IF OLD.client_id <> NEW.client_id OR (OLD.client_id IS NOT NULL AND NEW.client_id IS NULL) THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_matches', coalesce(OLD.client_id::text, ''), concat_ws(':', OLD.panel_client_id::text), 'U');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_sync_matches() FROM PUBLIC;


CREATE OR REPLACE FUNCTION kartoteka_decided() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.decision IS NULL THEN
    NEW.decided_by := NULL;
  ELSIF NEW.decision IS DISTINCT FROM OLD.decision AND NEW.decided_by IS NOT DISTINCT FROM OLD.decided_by THEN
    NEW.decided_by := session_user;
  END IF;
  RETURN NEW;
END
$body$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'sync_matches'::regclass AND tgname = 'kartoteka_answer') THEN CREATE TRIGGER kartoteka_answer AFTER UPDATE OF decision ON sync_matches FOR EACH ROW EXECUTE FUNCTION kartoteka_log_sync_matches(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'sync_matches'::regclass AND tgname = 'kartoteka_decided') THEN CREATE TRIGGER kartoteka_decided BEFORE UPDATE OF decision ON sync_matches FOR EACH ROW EXECUTE FUNCTION kartoteka_decided(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_sync_conflicts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_conflicts', coalesce(NEW.client_id::text, ''), concat_ws(':', NEW.id::text), 'U');
  IF OLD.client_id <> NEW.client_id OR (OLD.client_id IS NOT NULL AND NEW.client_id IS NULL) THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_conflicts', coalesce(OLD.client_id::text, ''), concat_ws(':', OLD.id::text), 'U');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_sync_conflicts() FROM PUBLIC;


CREATE OR REPLACE FUNCTION kartoteka_decided() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.decision IS NULL THEN
    NEW.decided_by := NULL;
  ELSIF NEW.decision IS DISTINCT FROM OLD.decision AND NEW.decided_by IS NOT DISTINCT FROM OLD.decided_by THEN
    NEW.decided_by := session_user;
  END IF;
  RETURN NEW;
END
$body$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'sync_conflicts'::regclass AND tgname = 'kartoteka_answer') THEN CREATE TRIGGER kartoteka_answer AFTER UPDATE OF decision ON sync_conflicts FOR EACH ROW EXECUTE FUNCTION kartoteka_log_sync_conflicts(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'sync_conflicts'::regclass AND tgname = 'kartoteka_decided') THEN CREATE TRIGGER kartoteka_decided BEFORE UPDATE OF decision ON sync_conflicts FOR EACH ROW EXECUTE FUNCTION kartoteka_decided(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_sync_status() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_status', coalesce(NEW.client_id::text, ''), coalesce(NEW.group_id::text, ''), concat_ws(':', NEW.concern::text, NEW.item_id::text), 'U');
  IF OLD.client_id <> NEW.client_id OR (OLD.client_id IS NOT NULL AND NEW.client_id IS NULL) THEN
    INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_status', coalesce(OLD.client_id::text, ''), coalesce(OLD.group_id::text, ''), concat_ws(':', OLD.concern::text, OLD.item_id::text), 'U');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_sync_status() FROM PUBLIC;


CREATE OR REPLACE FUNCTION kartoteka_decided() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.decision IS NULL THEN
    NEW.decided_by := NULL;
  ELSIF NEW.decision IS DISTINCT FROM OLD.decision AND NEW.decided_by IS NOT DISTINCT FROM OLD.decided_by THEN
    NEW.decided_by := session_user;
  END IF;
  RETURN NEW;
END
$body$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'sync_status'::regclass AND tgname = 'kartoteka_answer') THEN CREATE TRIGGER kartoteka_answer AFTER UPDATE OF decision ON sync_status FOR EACH ROW EXECUTE FUNCTION kartoteka_log_sync_status(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'sync_status'::regclass AND tgname = 'kartoteka_decided') THEN CREATE TRIGGER kartoteka_decided BEFORE UPDATE OF decision ON sync_status FOR EACH ROW EXECUTE FUNCTION kartoteka_decided(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_sync_plan() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_plan', coalesce(NEW.client_id::text, ''), coalesce(NEW.group_id::text, ''), concat_ws(':', NEW.id::text), 'U');
  IF OLD.client_id <> NEW.client_id OR (OLD.client_id IS NOT NULL AND NEW.client_id IS NULL) THEN
    INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_plan', coalesce(OLD.client_id::text, ''), coalesce(OLD.group_id::text, ''), concat_ws(':', OLD.id::text), 'U');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_sync_plan() FROM PUBLIC;


CREATE OR REPLACE FUNCTION kartoteka_decided() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.decision IS NULL THEN
    NEW.decided_by := NULL;
  ELSIF NEW.decision IS DISTINCT FROM OLD.decision AND NEW.decided_by IS NOT DISTINCT FROM OLD.decided_by THEN
    NEW.decided_by := session_user;
  END IF;
  RETURN NEW;
END
$body$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'sync_plan'::regclass AND tgname = 'kartoteka_answer') THEN CREATE TRIGGER kartoteka_answer AFTER UPDATE OF decision ON sync_plan FOR EACH ROW EXECUTE FUNCTION kartoteka_log_sync_plan(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'sync_plan'::regclass AND tgname = 'kartoteka_decided') THEN CREATE TRIGGER kartoteka_decided BEFORE UPDATE OF decision ON sync_plan FOR EACH ROW EXECUTE FUNCTION kartoteka_decided(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF false THEN RETURN; END IF; EXECUTE replace($create$
CREATE OR REPLACE FUNCTION kartoteka_log_sync_exclusions() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $body$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format($log$ INSERT INTO change_log (table_name, client_id, row_id, operation) SELECT 'sync_exclusions', coalesce(t.client_id::text, ''), concat_ws(':', t.concern::text), 'D' FROM %I.%I AS t $log$, TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.client_id IS NOT DISTINCT FROM NEW.client_id AND OLD.concern IS NOT DISTINCT FROM NEW.concern THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', coalesce(NEW.client_id::text, ''), concat_ws(':', NEW.concern::text), 'U');
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', coalesce(OLD.client_id::text, ''), concat_ws(':', OLD.concern::text), 'D');
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', coalesce(NEW.client_id::text, ''), concat_ws(':', NEW.concern::text), 'I');
  END IF;
  RETURN NULL;
END
$body$
$create$, '{schema}', quote_ident(current_schema())); END $kartoteka$;

REVOKE ALL ON FUNCTION kartoteka_log_sync_exclusions() FROM PUBLIC;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'sync_exclusions'::regclass AND tgname = 'kartoteka_log') THEN CREATE TRIGGER kartoteka_log AFTER INSERT OR UPDATE OR DELETE ON sync_exclusions FOR EACH ROW EXECUTE FUNCTION kartoteka_log_sync_exclusions(); END IF; END $kartoteka$;

DO $kartoteka$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'sync_exclusions'::regclass AND tgname = 'kartoteka_truncate') THEN CREATE TRIGGER kartoteka_truncate BEFORE TRUNCATE ON sync_exclusions FOR EACH STATEMENT EXECUTE FUNCTION kartoteka_log_sync_exclusions(); END IF; END $kartoteka$;

CREATE OR REPLACE VIEW sync_open AS SELECT sync_status.client_id, sync_status.group_id, sync_status.concern, sync_status.item_id, sync_status.field, sync_status.state, sync_status.code, sync_status.since, sync_status.message_pl, sync_status.message_en 
FROM sync_status 
WHERE (sync_status.state NOT IN ('in_step', 'excluded')) OR sync_status.code = 'forgotten' UNION ALL SELECT sync_conflicts.client_id AS client_id, '' AS group_id, sync_conflicts.concern AS concern, sync_conflicts.item_id AS item_id, sync_conflicts.field AS field, 'conflict' AS state, 'conflict' AS code, sync_conflicts.raised_at AS since, 'Po obu stronach wpisano różne wartości: ' || sync_conflicts.field || '. Uruchom ''kartoteka conflicts'' i rozstrzygnij albo UPDATE sync_conflicts SET decision = ''erp'' lub ''panel'' w otwartym wierszu tego klienta.' AS message_pl, 'Both sides were edited, to different values: ' || sync_conflicts.field || '. Run ''kartoteka conflicts'' and decide, or UPDATE sync_conflicts SET decision = ''erp'' or ''panel'' on this client''s open row.' AS message_en 
FROM sync_conflicts 
WHERE sync_conflicts.closed_at IS NULL AND NOT (EXISTS (SELECT sync_status.client_id 
FROM sync_status 
WHERE sync_status.client_id = sync_conflicts.client_id AND sync_status.concern = sync_conflicts.concern AND sync_status.item_id = sync_conflicts.item_id AND sync_status.field = sync_conflicts.field AND sync_status.group_id = '' AND sync_status.state = 'conflict')) UNION ALL SELECT '' AS client_id, '' AS group_id, 'accounts' AS concern, incoming_clients.panel_client_id AS item_id, 'client_id' AS field, 'waiting' AS state, 'not_a_client' AS code, incoming_clients.seen_at AS since, 'Ten klient zarejestrował się w sklepie i nie ma go jeszcze w clients. Załóż mu wiersz w clients i wpisz jego kod w incoming_clients.client_id.' AS message_pl, 'This customer registered in the shop and is not in clients yet. Make a row in clients, and write its code into incoming_clients.client_id.' AS message_en 
FROM incoming_clients 
WHERE coalesce(incoming_clients.client_id, '') = '' UNION ALL SELECT sync_conflicts.client_id AS client_id, '' AS group_id, sync_conflicts.concern AS concern, sync_conflicts.item_id AS item_id, sync_conflicts.field AS field, 'held' AS state, 'bad_decision' AS code, sync_conflicts.raised_at AS since, 'Decyzja ''' || sync_conflicts.decision || ''' nie rozstrzyga konfliktu: ' || sync_conflicts.field || '. Wpisz w sync_conflicts.decision słowo erp albo panel.' AS message_pl, 'The decision ''' || sync_conflicts.decision || ''' settles no conflict: ' || sync_conflicts.field || '. Write erp or panel into sync_conflicts.decision.' AS message_en 
FROM sync_conflicts 
WHERE sync_conflicts.closed_at IS NULL AND (lower(trim(coalesce(sync_conflicts.decision, ''))) NOT IN ('', 'erp', 'panel')) UNION ALL SELECT sync_matches.client_id AS client_id, '' AS group_id, 'accounts' AS concern, sync_matches.panel_client_id AS item_id, 'decision' AS field, 'held' AS state, 'bad_decision' AS code, sync_matches.raised_at AS since, 'Decyzja ''' || sync_matches.decision || ''' nie mówi, czyje jest konto. Wpisz w sync_matches.decision słowo link w jednym wierszu klienta albo create.' AS message_pl, 'The decision ''' || sync_matches.decision || ''' does not say whose the account is. Write link into sync_matches.decision of one row of the client, or create.' AS message_en 
FROM sync_matches 
WHERE (lower(trim(coalesce(sync_matches.decision, ''))) NOT IN ('', 'link', 'create'));

INSERT INTO sync_schema (version) SELECT 4 AS version WHERE NOT EXISTS (SELECT 1 FROM sync_schema);

