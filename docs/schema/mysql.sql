SET NAMES utf8mb4;

SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

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
	wholesaler BOOL, 
	vat_eu BOOL, 
	local_government BOOL, 
	active BOOL DEFAULT true, 
	discount_group_id VARCHAR(40), 
	PRIMARY KEY (id), 
	INDEX ix_clients_discount_group_id (discount_group_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

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
	PRIMARY KEY (id), 
	INDEX ix_delivery_addresses_client_id (client_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS client_shops (
	client_id VARCHAR(40) NOT NULL, 
	shop_id INTEGER NOT NULL, 
	PRIMARY KEY (client_id, shop_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS discount_groups (
	id VARCHAR(40) NOT NULL, 
	name VARCHAR(200), 
	PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS discount_group_items (
	group_id VARCHAR(40) NOT NULL, 
	item_type VARCHAR(16) NOT NULL, 
	item_id INTEGER NOT NULL, 
	price NUMERIC(12, 2), 
	rebate_percent NUMERIC(5, 2), 
	base_price NUMERIC(12, 2), 
	currency CHAR(3), 
	valid_from DATETIME(6), 
	valid_to DATETIME(6), 
	PRIMARY KEY (group_id, item_type, item_id), 
	INDEX ix_discount_group_items_valid_from (valid_from), 
	INDEX ix_discount_group_items_valid_to (valid_to)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS client_credit (
	client_id VARCHAR(40) NOT NULL, 
	credit_allowed BOOL, 
	credit_limit NUMERIC(12, 2), 
	balance NUMERIC(12, 2), 
	payment_days INTEGER, 
	currency CHAR(3), 
	overdue NUMERIC(12, 2), 
	as_of DATETIME(6), 
	PRIMARY KEY (client_id), 
	INDEX ix_client_credit_as_of (as_of)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

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
	wholesaler BOOL, 
	vat_eu BOOL, 
	local_government BOOL, 
	seen_at DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	client_id VARCHAR(40), 
	PRIMARY KEY (panel_client_id), 
	INDEX ix_incoming_clients_client_id (client_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_links (
	client_id VARCHAR(255) NOT NULL DEFAULT '', 
	panel_client_id VARCHAR(40) NOT NULL, 
	panel_login VARCHAR(255), 
	linked_at DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	linked_by VARCHAR(16), 
	former_code VARCHAR(255) NOT NULL DEFAULT '', 
	PRIMARY KEY (client_id), 
	UNIQUE INDEX ux_sync_links_panel_client (panel_client_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_base (
	client_id VARCHAR(255) NOT NULL DEFAULT '', 
	group_id VARCHAR(255) NOT NULL DEFAULT '', 
	concern VARCHAR(32) NOT NULL, 
	item_id VARCHAR(100) NOT NULL DEFAULT '', 
	`values` LONGTEXT, 
	panel_item_id VARCHAR(40), 
	notes LONGTEXT, 
	intent LONGTEXT, 
	due_at DATETIME(6), 
	attempts INTEGER NOT NULL DEFAULT '0', 
	tries INTEGER NOT NULL DEFAULT '0', 
	code VARCHAR(64) NOT NULL DEFAULT '', 
	unread_since DATETIME(6), 
	at DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	PRIMARY KEY (client_id, group_id, concern, item_id), 
	INDEX ix_sync_base_due (concern, due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_status (
	client_id VARCHAR(255) NOT NULL DEFAULT '', 
	group_id VARCHAR(255) NOT NULL DEFAULT '', 
	concern VARCHAR(32) NOT NULL, 
	item_id VARCHAR(100) NOT NULL DEFAULT '', 
	state VARCHAR(16) NOT NULL DEFAULT '', 
	since DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	last_in_step_at DATETIME(6), 
	code VARCHAR(64) NOT NULL DEFAULT '', 
	field VARCHAR(64) NOT NULL DEFAULT '', 
	message_pl LONGTEXT, 
	message_en LONGTEXT, 
	decision VARCHAR(16), 
	decided_by VARCHAR(255), 
	PRIMARY KEY (client_id, group_id, concern, item_id), 
	INDEX ix_sync_status_state (state, concern)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_history (
	id BIGINT NOT NULL AUTO_INCREMENT, 
	at DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	run_id VARCHAR(64) NOT NULL DEFAULT '', 
	client_id VARCHAR(255) NOT NULL DEFAULT '', 
	group_id VARCHAR(255) NOT NULL DEFAULT '', 
	concern VARCHAR(32) NOT NULL DEFAULT '', 
	item_id VARCHAR(100) NOT NULL DEFAULT '', 
	field VARCHAR(64) NOT NULL DEFAULT '', 
	direction VARCHAR(16) NOT NULL DEFAULT '', 
	reason VARCHAR(16) NOT NULL DEFAULT '', 
	value_before LONGTEXT, 
	value_after LONGTEXT, 
	counts BOOL NOT NULL DEFAULT false, 
	passed BOOL NOT NULL DEFAULT false, 
	found_by VARCHAR(16) NOT NULL DEFAULT '', 
	erased_at DATETIME(6), 
	PRIMARY KEY (id), 
	INDEX ix_sync_history_client (client_id, at), 
	INDEX ix_sync_history_counts (concern, counts, at), 
	INDEX ix_sync_history_erased (erased_at, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_conflicts (
	id BIGINT NOT NULL AUTO_INCREMENT, 
	client_id VARCHAR(255) NOT NULL DEFAULT '', 
	concern VARCHAR(32) NOT NULL DEFAULT '', 
	item_id VARCHAR(100) NOT NULL DEFAULT '', 
	field VARCHAR(64) NOT NULL DEFAULT '', 
	erp_value LONGTEXT, 
	panel_value LONGTEXT, 
	base_value LONGTEXT, 
	raised_at DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	decision VARCHAR(16), 
	decided_by VARCHAR(255), 
	decided_at DATETIME(6), 
	closed_at DATETIME(6), 
	erased_at DATETIME(6), 
	PRIMARY KEY (id), 
	INDEX ix_sync_conflicts_client (client_id, concern, closed_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_matches (
	client_id VARCHAR(255) NOT NULL DEFAULT '', 
	panel_client_id VARCHAR(40) NOT NULL, 
	matched_by VARCHAR(32), 
	decision VARCHAR(16), 
	decided_by VARCHAR(255), 
	raised_at DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	PRIMARY KEY (client_id, panel_client_id), 
	INDEX ix_sync_matches_panel_client (panel_client_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_exclusions (
	client_id VARCHAR(255) NOT NULL DEFAULT '', 
	concern VARCHAR(32) NOT NULL, 
	reason VARCHAR(255), 
	PRIMARY KEY (client_id, concern)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_panel_accounts (
	panel_client_id VARCHAR(40) NOT NULL, 
	login VARCHAR(255) NOT NULL DEFAULT '', 
	external_code VARCHAR(255) NOT NULL DEFAULT '', 
	code_key VARCHAR(255) NOT NULL DEFAULT '', 
	tax_number VARCHAR(100) NOT NULL DEFAULT '', 
	mail VARCHAR(350) NOT NULL DEFAULT '', 
	telephone VARCHAR(150) NOT NULL DEFAULT '', 
	modified_at DATETIME(6), 
	guest BOOL NOT NULL DEFAULT false, 
	registered DATE, 
	seen_at DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	PRIMARY KEY (panel_client_id), 
	INDEX ix_sync_panel_accounts_code_key (code_key), 
	INDEX ix_sync_panel_accounts_mail (mail), 
	INDEX ix_sync_panel_accounts_modified_at (modified_at), 
	INDEX ix_sync_panel_accounts_registered (registered), 
	INDEX ix_sync_panel_accounts_tax_number (tax_number), 
	INDEX ix_sync_panel_accounts_telephone (telephone)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_forgotten (
	digest VARCHAR(40) NOT NULL, 
	client VARCHAR(40) NOT NULL DEFAULT '', 
	forgotten_at DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	swept_at DATETIME(6), 
	modified_at DATETIME(6), 
	registered DATE, 
	seen_at DATETIME(6), 
	PRIMARY KEY (digest), 
	INDEX ix_sync_forgotten_client (client)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_prices (
	group_id VARCHAR(255) NOT NULL DEFAULT '', 
	item_type VARCHAR(16) NOT NULL, 
	item_id VARCHAR(40) NOT NULL, 
	price VARCHAR(40), 
	currency VARCHAR(16) NOT NULL DEFAULT '', 
	refused VARCHAR(64) NOT NULL DEFAULT '', 
	sent_at DATETIME(6), 
	PRIMARY KEY (group_id, item_type, item_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_pauses (
	concern VARCHAR(32) NOT NULL, 
	reason VARCHAR(64) NOT NULL DEFAULT '', 
	code VARCHAR(64) NOT NULL DEFAULT '', 
	paused_at DATETIME(6), 
	released_at DATETIME(6), 
	PRIMARY KEY (concern)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_owner (
	id INTEGER NOT NULL, 
	installation VARCHAR(255) NOT NULL DEFAULT '', 
	since DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	former VARCHAR(255) NOT NULL DEFAULT '', 
	PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_plan (
	id BIGINT NOT NULL AUTO_INCREMENT, 
	planned_at DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	client_id VARCHAR(255) NOT NULL DEFAULT '', 
	group_id VARCHAR(255) NOT NULL DEFAULT '', 
	concern VARCHAR(32) NOT NULL DEFAULT '', 
	item_id VARCHAR(100) NOT NULL DEFAULT '', 
	action VARCHAR(16) NOT NULL DEFAULT '', 
	field VARCHAR(64) NOT NULL DEFAULT '', 
	direction VARCHAR(16) NOT NULL DEFAULT '', 
	value_from LONGTEXT, 
	value_to LONGTEXT, 
	reason VARCHAR(64) NOT NULL DEFAULT '', 
	decision VARCHAR(16), 
	decided_by VARCHAR(255), 
	outcome VARCHAR(16), 
	PRIMARY KEY (id), 
	INDEX ix_sync_plan_client (client_id, group_id, concern), 
	INDEX ix_sync_plan_concern (concern, outcome, decision)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS change_log (
	seq BIGINT NOT NULL AUTO_INCREMENT, 
	table_name VARCHAR(64) NOT NULL DEFAULT '', 
	client_id VARCHAR(255) NOT NULL DEFAULT '', 
	group_id VARCHAR(255) NOT NULL DEFAULT '', 
	row_id VARCHAR(400) NOT NULL DEFAULT '', 
	operation VARCHAR(1) NOT NULL DEFAULT '', 
	logged_at DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	PRIMARY KEY (seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

CREATE TABLE IF NOT EXISTS sync_schema (
	version INTEGER NOT NULL, 
	applied_at DATETIME(6) NOT NULL DEFAULT (utc_timestamp(6)), 
	PRIMARY KEY (version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_clients_insert AFTER INSERT ON clients FOR EACH ROW
INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', COALESCE(NEW.id, ''), CONCAT_WS(':', NEW.id), 'I')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_clients_update AFTER UPDATE ON clients FOR EACH ROW
IF OLD.id <=> NEW.id THEN INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', COALESCE(NEW.id, ''), CONCAT_WS(':', NEW.id), 'U'); ELSE INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', COALESCE(OLD.id, ''), CONCAT_WS(':', OLD.id), 'D'), ('clients', COALESCE(NEW.id, ''), CONCAT_WS(':', NEW.id), 'I'); END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_clients_delete AFTER DELETE ON clients FOR EACH ROW
INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('clients', COALESCE(OLD.id, ''), CONCAT_WS(':', OLD.id), 'D')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_delivery_addresses_insert AFTER INSERT ON delivery_addresses FOR EACH ROW
INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.id), 'I')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_delivery_addresses_update AFTER UPDATE ON delivery_addresses FOR EACH ROW
IF OLD.client_id <=> NEW.client_id AND OLD.id <=> NEW.id THEN INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.id), 'U'); ELSE INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', COALESCE(OLD.client_id, ''), CONCAT_WS(':', OLD.id), 'D'), ('delivery_addresses', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.id), 'I'); END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_delivery_addresses_delete AFTER DELETE ON delivery_addresses FOR EACH ROW
INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('delivery_addresses', COALESCE(OLD.client_id, ''), CONCAT_WS(':', OLD.id), 'D')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_client_shops_insert AFTER INSERT ON client_shops FOR EACH ROW
INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.shop_id), 'I')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_client_shops_update AFTER UPDATE ON client_shops FOR EACH ROW
IF OLD.client_id <=> NEW.client_id AND OLD.shop_id <=> NEW.shop_id THEN INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.shop_id), 'U'); ELSE INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', COALESCE(OLD.client_id, ''), CONCAT_WS(':', OLD.shop_id), 'D'), ('client_shops', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.shop_id), 'I'); END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_client_shops_delete AFTER DELETE ON client_shops FOR EACH ROW
INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_shops', COALESCE(OLD.client_id, ''), CONCAT_WS(':', OLD.shop_id), 'D')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_discount_groups_insert AFTER INSERT ON discount_groups FOR EACH ROW
INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', COALESCE(NEW.id, ''), CONCAT_WS(':', NEW.id), 'I')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_discount_groups_update AFTER UPDATE ON discount_groups FOR EACH ROW
IF OLD.id <=> NEW.id THEN INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', COALESCE(NEW.id, ''), CONCAT_WS(':', NEW.id), 'U'); ELSE INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', COALESCE(OLD.id, ''), CONCAT_WS(':', OLD.id), 'D'), ('discount_groups', COALESCE(NEW.id, ''), CONCAT_WS(':', NEW.id), 'I'); END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_discount_groups_delete AFTER DELETE ON discount_groups FOR EACH ROW
INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_groups', COALESCE(OLD.id, ''), CONCAT_WS(':', OLD.id), 'D')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_discount_group_items_insert AFTER INSERT ON discount_group_items FOR EACH ROW
INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', COALESCE(NEW.group_id, ''), CONCAT_WS(':', NEW.item_type, NEW.item_id), 'I')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_discount_group_items_update AFTER UPDATE ON discount_group_items FOR EACH ROW
IF OLD.group_id <=> NEW.group_id AND OLD.item_type <=> NEW.item_type AND OLD.item_id <=> NEW.item_id THEN INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', COALESCE(NEW.group_id, ''), CONCAT_WS(':', NEW.item_type, NEW.item_id), 'U'); ELSE INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', COALESCE(OLD.group_id, ''), CONCAT_WS(':', OLD.item_type, OLD.item_id), 'D'), ('discount_group_items', COALESCE(NEW.group_id, ''), CONCAT_WS(':', NEW.item_type, NEW.item_id), 'I'); END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_discount_group_items_delete AFTER DELETE ON discount_group_items FOR EACH ROW
INSERT INTO change_log (table_name, group_id, row_id, operation) VALUES ('discount_group_items', COALESCE(OLD.group_id, ''), CONCAT_WS(':', OLD.item_type, OLD.item_id), 'D')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_client_credit_insert AFTER INSERT ON client_credit FOR EACH ROW
INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.client_id), 'I')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_client_credit_update AFTER UPDATE ON client_credit FOR EACH ROW
IF OLD.client_id <=> NEW.client_id THEN INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.client_id), 'U'); ELSE INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', COALESCE(OLD.client_id, ''), CONCAT_WS(':', OLD.client_id), 'D'), ('client_credit', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.client_id), 'I'); END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_client_credit_delete AFTER DELETE ON client_credit FOR EACH ROW
INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('client_credit', COALESCE(OLD.client_id, ''), CONCAT_WS(':', OLD.client_id), 'D')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_incoming_clients_answer AFTER UPDATE ON incoming_clients FOR EACH ROW
IF NOT (OLD.client_id <=> NEW.client_id) THEN INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('incoming_clients', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.panel_client_id), 'U'); IF OLD.client_id IS NOT NULL AND NOT (OLD.client_id <=> NEW.client_id) THEN INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('incoming_clients', COALESCE(OLD.client_id, ''), CONCAT_WS(':', OLD.panel_client_id), 'U'); END IF; END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_sync_matches_answer AFTER UPDATE ON sync_matches FOR EACH ROW
IF NOT (OLD.decision <=> NEW.decision) THEN INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_matches', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.panel_client_id), 'U'); IF OLD.client_id IS NOT NULL AND NOT (OLD.client_id <=> NEW.client_id) THEN INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_matches', COALESCE(OLD.client_id, ''), CONCAT_WS(':', OLD.panel_client_id), 'U'); END IF; END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_sync_matches_decided BEFORE UPDATE ON sync_matches FOR EACH ROW
SET NEW.decided_by = CASE
  WHEN NEW.decision IS NULL THEN NULL
  WHEN NOT (NEW.decision <=> OLD.decision) AND NEW.decided_by <=> OLD.decided_by
    THEN LEFT(USER(), CHAR_LENGTH(USER()) - LOCATE('@', REVERSE(USER())))
  ELSE NEW.decided_by
END$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_sync_conflicts_answer AFTER UPDATE ON sync_conflicts FOR EACH ROW
IF NOT (OLD.decision <=> NEW.decision) THEN INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_conflicts', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.id), 'U'); IF OLD.client_id IS NOT NULL AND NOT (OLD.client_id <=> NEW.client_id) THEN INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_conflicts', COALESCE(OLD.client_id, ''), CONCAT_WS(':', OLD.id), 'U'); END IF; END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_sync_conflicts_decided BEFORE UPDATE ON sync_conflicts FOR EACH ROW
SET NEW.decided_by = CASE
  WHEN NEW.decision IS NULL THEN NULL
  WHEN NOT (NEW.decision <=> OLD.decision) AND NEW.decided_by <=> OLD.decided_by
    THEN LEFT(USER(), CHAR_LENGTH(USER()) - LOCATE('@', REVERSE(USER())))
  ELSE NEW.decided_by
END$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_sync_status_answer AFTER UPDATE ON sync_status FOR EACH ROW
IF NOT (OLD.decision <=> NEW.decision) THEN INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_status', COALESCE(NEW.client_id, ''), COALESCE(NEW.group_id, ''), CONCAT_WS(':', NEW.concern, NEW.item_id), 'U'); IF OLD.client_id IS NOT NULL AND NOT (OLD.client_id <=> NEW.client_id) THEN INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_status', COALESCE(OLD.client_id, ''), COALESCE(OLD.group_id, ''), CONCAT_WS(':', OLD.concern, OLD.item_id), 'U'); END IF; END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_sync_status_decided BEFORE UPDATE ON sync_status FOR EACH ROW
SET NEW.decided_by = CASE
  WHEN NEW.decision IS NULL THEN NULL
  WHEN NOT (NEW.decision <=> OLD.decision) AND NEW.decided_by <=> OLD.decided_by
    THEN LEFT(USER(), CHAR_LENGTH(USER()) - LOCATE('@', REVERSE(USER())))
  ELSE NEW.decided_by
END$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_sync_plan_answer AFTER UPDATE ON sync_plan FOR EACH ROW
IF NOT (OLD.decision <=> NEW.decision) THEN INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_plan', COALESCE(NEW.client_id, ''), COALESCE(NEW.group_id, ''), CONCAT_WS(':', NEW.id), 'U'); IF OLD.client_id IS NOT NULL AND NOT (OLD.client_id <=> NEW.client_id) THEN INSERT INTO change_log (table_name, client_id, group_id, row_id, operation) VALUES ('sync_plan', COALESCE(OLD.client_id, ''), COALESCE(OLD.group_id, ''), CONCAT_WS(':', OLD.id), 'U'); END IF; END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_sync_plan_decided BEFORE UPDATE ON sync_plan FOR EACH ROW
SET NEW.decided_by = CASE
  WHEN NEW.decision IS NULL THEN NULL
  WHEN NOT (NEW.decision <=> OLD.decision) AND NEW.decided_by <=> OLD.decided_by
    THEN LEFT(USER(), CHAR_LENGTH(USER()) - LOCATE('@', REVERSE(USER())))
  ELSE NEW.decided_by
END$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_sync_exclusions_insert AFTER INSERT ON sync_exclusions FOR EACH ROW
INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.concern), 'I')$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_sync_exclusions_update AFTER UPDATE ON sync_exclusions FOR EACH ROW
IF OLD.client_id <=> NEW.client_id AND OLD.concern <=> NEW.concern THEN INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.concern), 'U'); ELSE INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', COALESCE(OLD.client_id, ''), CONCAT_WS(':', OLD.concern), 'D'), ('sync_exclusions', COALESCE(NEW.client_id, ''), CONCAT_WS(':', NEW.concern), 'I'); END IF$$
DELIMITER ;

DELIMITER $$
CREATE TRIGGER IF NOT EXISTS kartoteka_sync_exclusions_delete AFTER DELETE ON sync_exclusions FOR EACH ROW
INSERT INTO change_log (table_name, client_id, row_id, operation) VALUES ('sync_exclusions', COALESCE(OLD.client_id, ''), CONCAT_WS(':', OLD.concern), 'D')$$
DELIMITER ;

CREATE OR REPLACE VIEW sync_open AS SELECT sync_status.client_id, sync_status.group_id, sync_status.concern, sync_status.item_id, sync_status.field, sync_status.state, sync_status.code, sync_status.since, sync_status.message_pl, sync_status.message_en 
FROM sync_status 
WHERE (sync_status.state NOT IN ('in_step', 'excluded')) OR sync_status.code = 'forgotten' UNION ALL SELECT sync_conflicts.client_id AS client_id, '' AS group_id, sync_conflicts.concern AS concern, sync_conflicts.item_id AS item_id, sync_conflicts.field AS field, 'conflict' AS state, 'conflict' AS code, sync_conflicts.raised_at AS since, concat('Po obu stronach wpisano różne wartości: ', sync_conflicts.field, '. Uruchom ''kartoteka conflicts'' i rozstrzygnij albo UPDATE sync_conflicts SET decision = ''erp'' lub ''panel'' w otwartym wierszu tego klienta.') AS message_pl, concat('Both sides were edited, to different values: ', sync_conflicts.field, '. Run ''kartoteka conflicts'' and decide, or UPDATE sync_conflicts SET decision = ''erp'' or ''panel'' on this client''s open row.') AS message_en 
FROM sync_conflicts 
WHERE sync_conflicts.closed_at IS NULL AND NOT (EXISTS (SELECT sync_status.client_id 
FROM sync_status 
WHERE sync_status.client_id = sync_conflicts.client_id AND sync_status.concern = sync_conflicts.concern AND sync_status.item_id = sync_conflicts.item_id AND sync_status.field = sync_conflicts.field AND sync_status.group_id = '' AND sync_status.state = 'conflict')) UNION ALL SELECT '' AS client_id, '' AS group_id, 'accounts' AS concern, incoming_clients.panel_client_id AS item_id, 'client_id' AS field, 'waiting' AS state, 'not_a_client' AS code, incoming_clients.seen_at AS since, 'Ten klient zarejestrował się w sklepie i nie ma go jeszcze w clients. Załóż mu wiersz w clients i wpisz jego kod w incoming_clients.client_id.' AS message_pl, 'This customer registered in the shop and is not in clients yet. Make a row in clients, and write its code into incoming_clients.client_id.' AS message_en 
FROM incoming_clients 
WHERE coalesce(incoming_clients.client_id, '') = '' UNION ALL SELECT sync_conflicts.client_id AS client_id, '' AS group_id, sync_conflicts.concern AS concern, sync_conflicts.item_id AS item_id, sync_conflicts.field AS field, 'held' AS state, 'bad_decision' AS code, sync_conflicts.raised_at AS since, concat('Decyzja ''', sync_conflicts.decision, ''' nie rozstrzyga konfliktu: ', sync_conflicts.field, '. Wpisz w sync_conflicts.decision słowo erp albo panel.') AS message_pl, concat('The decision ''', sync_conflicts.decision, ''' settles no conflict: ', sync_conflicts.field, '. Write erp or panel into sync_conflicts.decision.') AS message_en 
FROM sync_conflicts 
WHERE sync_conflicts.closed_at IS NULL AND (lower(trim(coalesce(sync_conflicts.decision, ''))) NOT IN ('', 'erp', 'panel')) UNION ALL SELECT sync_matches.client_id AS client_id, '' AS group_id, 'accounts' AS concern, sync_matches.panel_client_id AS item_id, 'decision' AS field, 'held' AS state, 'bad_decision' AS code, sync_matches.raised_at AS since, concat('Decyzja ''', sync_matches.decision, ''' nie mówi, czyje jest konto. Wpisz w sync_matches.decision słowo link w jednym wierszu klienta albo create.') AS message_pl, concat('The decision ''', sync_matches.decision, ''' does not say whose the account is. Write link into sync_matches.decision of one row of the client, or create.') AS message_en 
FROM sync_matches 
WHERE (lower(trim(coalesce(sync_matches.decision, ''))) NOT IN ('', 'link', 'create'));

INSERT INTO sync_schema (version) SELECT 4 AS version WHERE NOT EXISTS (SELECT 1 FROM sync_schema);

