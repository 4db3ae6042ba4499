/*
 * The answer of one instrument as JSON: the one text that the retained topic, the API and the pages give, so that they
 * cannot disagree. Pure. In codes, times in RFC 3339 with the offset of the instrument's site, what is not known null:
 *
 *   id, name, name_en
 *   status, reason       by collector/instrument/availability.h
 *   since, free_until, next_free, as_of
 *   activity             off, standby, running, unknown; activity_since
 *   sources              power, session, calendar: null where there is none, else quality and last (seen)
 *   resources            id, name, name_en, kind, required, state (up, down, unknown), since, quality, last
 *   outages              those open or to come: kind (broken, planned, problem), from, until, category; what people wrote of
 *                        them is not public
 *   site, building, space, category   id, name, name_en; location, location_en
 *   model, owner, owner_en, contact, booking_url, terms, terms_en, training, training_en, charges, charges_en, open,
 *   minimum_slot_s
 *
 * No person: neither who uses it nor who booked it. Of one that is not shared nothing is told of what it does.
 */
#pragma once

#include "collector/instrument/board.h"
#include "lib/json.h"

/* The caller owns it. */
json_t *board_json(const struct board_item *item);
/* RFC 3339 by the item's zone; null for AVAILABILITY_NONE. */
json_t *board_json_time(const struct board_item *item, int64_t time_ms);
