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
	active BOOLEAN DEFAULT 1, 
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
	valid_from DATETIME, 
	valid_to DATETIME, 
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
	as_of DATETIME, 
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
	seen_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
	client_id VARCHAR(40), 
	PRIMARY KEY (panel_client_id)
);

CREATE INDEX IF NOT EXISTS ix_incoming_clients_client_id ON incoming_clients (client_id);

CREATE TABLE IF NOT EXISTS sync_links (
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	panel_client_id VARCHAR(40) NOT NULL, 
	panel_login VARCHAR(255), 
	linked_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
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
	"values" TEXT, 
	panel_item_id VARCHAR(40), 
	notes TEXT, 
	intent TEXT, 
	due_at DATETIME, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	tries INTEGER DEFAULT '0' NOT NULL, 
	code VARCHAR(64) DEFAULT '' NOT NULL, 
	unread_since DATETIME, 
	at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
	PRIMARY KEY (client_id, group_id, concern, item_id)
);

CREATE INDEX IF NOT EXISTS ix_sync_base_due ON sync_base (concern, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS sync_status (
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	group_id VARCHAR(255) DEFAULT '' NOT NULL, 
	concern VARCHAR(32) NOT NULL, 
	item_id VARCHAR(100) DEFAULT '' NOT NULL, 
	state VARCHAR(16) DEFAULT '' NOT NULL, 
	since DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
	last_in_step_at DATETIME, 
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
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
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
	counts BOOLEAN DEFAULT 0 NOT NULL, 
	passed BOOLEAN DEFAULT 0 NOT NULL, 
	found_by VARCHAR(16) DEFAULT '' NOT NULL, 
	erased_at DATETIME
);

CREATE INDEX IF NOT EXISTS ix_sync_history_client ON sync_history (client_id, at);

CREATE INDEX IF NOT EXISTS ix_sync_history_counts ON sync_history (concern, counts, at);

CREATE INDEX IF NOT EXISTS ix_sync_history_erased ON sync_history (erased_at, at);

CREATE TABLE IF NOT EXISTS sync_conflicts (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	concern VARCHAR(32) DEFAULT '' NOT NULL, 
	item_id VARCHAR(100) DEFAULT '' NOT NULL, 
	field VARCHAR(64) DEFAULT '' NOT NULL, 
	erp_value TEXT, 
	panel_value TEXT, 
	base_value TEXT, 
	raised_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
	decision VARCHAR(16), 
	decided_by VARCHAR(255), 
	decided_at DATETIME, 
	closed_at DATETIME, 
	erased_at DATETIME
);

CREATE INDEX IF NOT EXISTS ix_sync_conflicts_client ON sync_conflicts (client_id, concern, closed_at);

CREATE TABLE IF NOT EXISTS sync_matches (
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	panel_client_id VARCHAR(40) NOT NULL, 
	matched_by VARCHAR(32), 
	decision VARCHAR(16), 
	decided_by VARCHAR(255), 
	raised_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
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
	modified_at DATETIME, 
	guest BOOLEAN DEFAULT 0 NOT NULL, 
	registered DATE, 
	seen_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
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
	forgotten_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
	swept_at DATETIME, 
	modified_at DATETIME, 
	registered DATE, 
	seen_at DATETIME, 
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
	sent_at DATETIME, 
	PRIMARY KEY (group_id, item_type, item_id)
);

CREATE TABLE IF NOT EXISTS sync_pauses (
	concern VARCHAR(32) NOT NULL, 
	reason VARCHAR(64) DEFAULT '' NOT NULL, 
	code VARCHAR(64) DEFAULT '' NOT NULL, 
	paused_at DATETIME, 
	released_at DATETIME, 
	PRIMARY KEY (concern)
);

CREATE TABLE IF NOT EXISTS sync_owner (
	id INTEGER NOT NULL, 
	installation VARCHAR(255) DEFAULT '' NOT NULL, 
	since DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
	former VARCHAR(255) DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS sync_plan (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	planned_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
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
	outcome VARCHAR(16)
);

CREATE INDEX IF NOT EXISTS ix_sync_plan_client ON sync_plan (client_id, group_id, concern);

CREATE INDEX IF NOT EXISTS ix_sync_plan_concern ON sync_plan (concern, outcome, decision);

CREATE TABLE IF NOT EXISTS change_log (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	table_name VARCHAR(64) DEFAULT '' NOT NULL, 
	client_id VARCHAR(255) DEFAULT '' NOT NULL, 
	group_id VARCHAR(255) DEFAULT '' NOT NULL, 
	row_id VARCHAR(400) DEFAULT '' NOT NULL, 
	operation VARCHAR(1) DEFAULT '' NOT NULL, 
	logged_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL
);

CREATE TABLE IF NOT EXISTS sync_schema (
	version INTEGER NOT NULL, 
	applied_at DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')) NOT NULL, 
	PRIMARY KEY (version)
);

DROP TRIGGER IF EXISTS kartoteka_clients_insert;

CREATE TRIGGER kartoteka_clients_insert AFTER INSERT ON clients
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', COALESCE(NEW.id, ''), COALESCE(NEW.id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_clients_update;

CREATE TRIGGER kartoteka_clients_update AFTER UPDATE ON clients WHEN OLD.id IS NEW.id
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', COALESCE(NEW.id, ''), COALESCE(NEW.id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_clients_move;

CREATE TRIGGER kartoteka_clients_move AFTER UPDATE ON clients WHEN NOT (OLD.id IS NEW.id)
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', COALESCE(OLD.id, ''), COALESCE(OLD.id, ''), 'D');
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', COALESCE(NEW.id, ''), COALESCE(NEW.id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_clients_delete;

CREATE TRIGGER kartoteka_clients_delete AFTER DELETE ON clients
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', COALESCE(OLD.id, ''), COALESCE(OLD.id, ''), 'D');
END;

DROP TRIGGER IF EXISTS kartoteka_delivery_addresses_insert;

CREATE TRIGGER kartoteka_delivery_addresses_insert AFTER INSERT ON delivery_addresses
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', COALESCE(NEW.client_id, ''), COALESCE(NEW.id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_delivery_addresses_update;

CREATE TRIGGER kartoteka_delivery_addresses_update AFTER UPDATE ON delivery_addresses WHEN OLD.client_id IS NEW.client_id AND OLD.id IS NEW.id
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', COALESCE(NEW.client_id, ''), COALESCE(NEW.id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_delivery_addresses_move;

CREATE TRIGGER kartoteka_delivery_addresses_move AFTER UPDATE ON delivery_addresses WHEN NOT (OLD.client_id IS NEW.client_id AND OLD.id IS NEW.id)
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', COALESCE(OLD.client_id, ''), COALESCE(OLD.id, ''), 'D');
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', COALESCE(NEW.client_id, ''), COALESCE(NEW.id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_delivery_addresses_delete;

CREATE TRIGGER kartoteka_delivery_addresses_delete AFTER DELETE ON delivery_addresses
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', COALESCE(OLD.client_id, ''), COALESCE(OLD.id, ''), 'D');
END;

DROP TRIGGER IF EXISTS kartoteka_delivery_addresses_replace;

CREATE TRIGGER kartoteka_delivery_addresses_replace BEFORE INSERT ON delivery_addresses
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) SELECT 'delivery_addresses', COALESCE(taken.client_id, ''), COALESCE(taken.id, ''), 'D' FROM delivery_addresses AS taken WHERE taken.id = NEW.id AND taken.client_id IS NOT NEW.client_id;
END;

DROP TRIGGER IF EXISTS kartoteka_client_shops_insert;

CREATE TRIGGER kartoteka_client_shops_insert AFTER INSERT ON client_shops
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', COALESCE(NEW.client_id, ''), COALESCE(NEW.shop_id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_client_shops_update;

CREATE TRIGGER kartoteka_client_shops_update AFTER UPDATE ON client_shops WHEN OLD.client_id IS NEW.client_id AND OLD.shop_id IS NEW.shop_id
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', COALESCE(NEW.client_id, ''), COALESCE(NEW.shop_id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_client_shops_move;

CREATE TRIGGER kartoteka_client_shops_move AFTER UPDATE ON client_shops WHEN NOT (OLD.client_id IS NEW.client_id AND OLD.shop_id IS NEW.shop_id)
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', COALESCE(OLD.client_id, ''), COALESCE(OLD.shop_id, ''), 'D');
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', COALESCE(NEW.client_id, ''), COALESCE(NEW.shop_id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_client_shops_delete;

CREATE TRIGGER kartoteka_client_shops_delete AFTER DELETE ON client_shops
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', COALESCE(OLD.client_id, ''), COALESCE(OLD.shop_id, ''), 'D');
END;

DROP TRIGGER IF EXISTS kartoteka_discount_groups_insert;

CREATE TRIGGER kartoteka_discount_groups_insert AFTER INSERT ON discount_groups
BEGIN
  INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', COALESCE(NEW.id, ''), COALESCE(NEW.id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_discount_groups_update;

CREATE TRIGGER kartoteka_discount_groups_update AFTER UPDATE ON discount_groups WHEN OLD.id IS NEW.id
BEGIN
  INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', COALESCE(NEW.id, ''), COALESCE(NEW.id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_discount_groups_move;

CREATE TRIGGER kartoteka_discount_groups_move AFTER UPDATE ON discount_groups WHEN NOT (OLD.id IS NEW.id)
BEGIN
  INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', COALESCE(OLD.id, ''), COALESCE(OLD.id, ''), 'D');
  INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', COALESCE(NEW.id, ''), COALESCE(NEW.id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_discount_groups_delete;

CREATE TRIGGER kartoteka_discount_groups_delete AFTER DELETE ON discount_groups
BEGIN
  INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', COALESCE(OLD.id, ''), COALESCE(OLD.id, ''), 'D');
END;

DROP TRIGGER IF EXISTS kartoteka_discount_group_items_insert;

CREATE TRIGGER kartoteka_discount_group_items_insert AFTER INSERT ON discount_group_items
BEGIN
  INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', COALESCE(NEW.group_id, ''), COALESCE(NEW.item_type, '') || ':' || COALESCE(NEW.item_id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_discount_group_items_update;

CREATE TRIGGER kartoteka_discount_group_items_update AFTER UPDATE ON discount_group_items WHEN OLD.group_id IS NEW.group_id AND OLD.item_type IS NEW.item_type AND OLD.item_id IS NEW.item_id
BEGIN
  INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', COALESCE(NEW.group_id, ''), COALESCE(NEW.item_type, '') || ':' || COALESCE(NEW.item_id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_discount_group_items_move;

CREATE TRIGGER kartoteka_discount_group_items_move AFTER UPDATE ON discount_group_items WHEN NOT (OLD.group_id IS NEW.group_id AND OLD.item_type IS NEW.item_type AND OLD.item_id IS NEW.item_id)
BEGIN
  INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', COALESCE(OLD.group_id, ''), COALESCE(OLD.item_type, '') || ':' || COALESCE(OLD.item_id, ''), 'D');
  INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', COALESCE(NEW.group_id, ''), COALESCE(NEW.item_type, '') || ':' || COALESCE(NEW.item_id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_discount_group_items_delete;

CREATE TRIGGER kartoteka_discount_group_items_delete AFTER DELETE ON discount_group_items
BEGIN
  INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', COALESCE(OLD.group_id, ''), COALESCE(OLD.item_type, '') || ':' || COALESCE(OLD.item_id, ''), 'D');
END;

DROP TRIGGER IF EXISTS kartoteka_client_credit_insert;

CREATE TRIGGER kartoteka_client_credit_insert AFTER INSERT ON client_credit
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', COALESCE(NEW.client_id, ''), COALESCE(NEW.client_id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_client_credit_update;

CREATE TRIGGER kartoteka_client_credit_update AFTER UPDATE ON client_credit WHEN OLD.client_id IS NEW.client_id
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', COALESCE(NEW.client_id, ''), COALESCE(NEW.client_id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_client_credit_move;

CREATE TRIGGER kartoteka_client_credit_move AFTER UPDATE ON client_credit WHEN NOT (OLD.client_id IS NEW.client_id)
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', COALESCE(OLD.client_id, ''), COALESCE(OLD.client_id, ''), 'D');
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', COALESCE(NEW.client_id, ''), COALESCE(NEW.client_id, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_client_credit_delete;

CREATE TRIGGER kartoteka_client_credit_delete AFTER DELETE ON client_credit
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', COALESCE(OLD.client_id, ''), COALESCE(OLD.client_id, ''), 'D');
END;

DROP TRIGGER IF EXISTS kartoteka_incoming_clients_answer;

CREATE TRIGGER kartoteka_incoming_clients_answer AFTER UPDATE OF client_id ON incoming_clients
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('incoming_clients', COALESCE(NEW.client_id, ''), COALESCE(NEW.panel_client_id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_incoming_clients_moved;

CREATE TRIGGER kartoteka_incoming_clients_moved AFTER UPDATE OF client_id ON incoming_clients WHEN OLD.client_id IS NOT NULL AND OLD.client_id IS NOT NEW.client_id
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('incoming_clients', COALESCE(OLD.client_id, ''), COALESCE(OLD.panel_client_id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_matches_answer;

CREATE TRIGGER kartoteka_sync_matches_answer AFTER UPDATE OF decision ON sync_matches
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_matches', COALESCE(NEW.client_id, ''), COALESCE(NEW.panel_client_id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_matches_moved;

CREATE TRIGGER kartoteka_sync_matches_moved AFTER UPDATE OF decision ON sync_matches WHEN OLD.client_id IS NOT NULL AND OLD.client_id IS NOT NEW.client_id
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_matches', COALESCE(OLD.client_id, ''), COALESCE(OLD.panel_client_id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_conflicts_answer;

CREATE TRIGGER kartoteka_sync_conflicts_answer AFTER UPDATE OF decision ON sync_conflicts
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_conflicts', COALESCE(NEW.client_id, ''), COALESCE(NEW.id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_conflicts_moved;

CREATE TRIGGER kartoteka_sync_conflicts_moved AFTER UPDATE OF decision ON sync_conflicts WHEN OLD.client_id IS NOT NULL AND OLD.client_id IS NOT NEW.client_id
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_conflicts', COALESCE(OLD.client_id, ''), COALESCE(OLD.id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_status_answer;

CREATE TRIGGER kartoteka_sync_status_answer AFTER UPDATE OF decision ON sync_status
BEGIN
  INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_status', COALESCE(NEW.client_id, ''), COALESCE(NEW.group_id, ''), COALESCE(NEW.concern, '') || ':' || COALESCE(NEW.item_id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_status_moved;

CREATE TRIGGER kartoteka_sync_status_moved AFTER UPDATE OF decision ON sync_status WHEN OLD.client_id IS NOT NULL AND OLD.client_id IS NOT NEW.client_id
BEGIN
  INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_status', COALESCE(OLD.client_id, ''), COALESCE(OLD.group_id, ''), COALESCE(OLD.concern, '') || ':' || COALESCE(OLD.item_id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_plan_answer;

CREATE TRIGGER kartoteka_sync_plan_answer AFTER UPDATE OF decision ON sync_plan
BEGIN
  INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_plan', COALESCE(NEW.client_id, ''), COALESCE(NEW.group_id, ''), COALESCE(NEW.id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_plan_moved;

CREATE TRIGGER kartoteka_sync_plan_moved AFTER UPDATE OF decision ON sync_plan WHEN OLD.client_id IS NOT NULL AND OLD.client_id IS NOT NEW.client_id
BEGIN
  INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_plan', COALESCE(OLD.client_id, ''), COALESCE(OLD.group_id, ''), COALESCE(OLD.id, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_exclusions_insert;

CREATE TRIGGER kartoteka_sync_exclusions_insert AFTER INSERT ON sync_exclusions
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', COALESCE(NEW.client_id, ''), COALESCE(NEW.concern, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_exclusions_update;

CREATE TRIGGER kartoteka_sync_exclusions_update AFTER UPDATE ON sync_exclusions WHEN OLD.client_id IS NEW.client_id AND OLD.concern IS NEW.concern
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', COALESCE(NEW.client_id, ''), COALESCE(NEW.concern, ''), 'U');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_exclusions_move;

CREATE TRIGGER kartoteka_sync_exclusions_move AFTER UPDATE ON sync_exclusions WHEN NOT (OLD.client_id IS NEW.client_id AND OLD.concern IS NEW.concern)
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', COALESCE(OLD.client_id, ''), COALESCE(OLD.concern, ''), 'D');
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', COALESCE(NEW.client_id, ''), COALESCE(NEW.concern, ''), 'I');
END;

DROP TRIGGER IF EXISTS kartoteka_sync_exclusions_delete;

CREATE TRIGGER kartoteka_sync_exclusions_delete AFTER DELETE ON sync_exclusions
BEGIN
  INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', COALESCE(OLD.client_id, ''), COALESCE(OLD.concern, ''), 'D');
END;

DROP VIEW IF EXISTS sync_open;

CREATE VIEW sync_open AS SELECT sync_status.client_id, sync_status.group_id, sync_status.concern, sync_status.item_id, sync_status.field, sync_status.state, sync_status.code, sync_status.since, sync_status.message_pl, sync_status.message_en 
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

