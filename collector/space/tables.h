/*
 * What the collector's database holds of people in spaces. What was read and counted is kept, and what it comes to is
 * reckoned from it (collector/space/reckon.h), so that a row is a function of the set of readings and counts.
 *
 *   space_point    a point that counts or sees people, "<gateway>/<point>"; is_used: the park model names it now
 *   space_sample   its readings as they came: of a door the cumulative count, of a sensor thousandths of what it tells.
 *                  is_change: told by a state, which is told when it changes. Of two at one time the first counts (D5)
 *   space_count    how many people somebody counted in a space at a time, and who entered it when
 *   space_source   what tells of a space: "live" and "corrected" of its doors, "<kind>:<gateway>/<point>" of a sensor.
 *                  spec: by what it was reckoned
 *   space_window   its quarter hours (collector/space/rows.h)
 *   space_stretch  between two anchors of "corrected" (collector/space/flow.h)
 *   space_dirty    what is to be reckoned yet, by the day of UTC in which it begins
 *   space_due      quarter hours that the store has not got yet; clears: it has others in their place
 *   cursor         'space': the batch up to which the journal was taken
 */
#pragma once

extern const char space_schema[];
