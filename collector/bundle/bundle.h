/*
 * Evidence bundles: all that it takes to work out a site's figures of a period again, on another machine, without
 * database, broker or store (CONTRIBUTING.md, "Evidence bundles", has what stands in each part, for whoever writes a
 * checker of his own). A zip file (lib/zip.h) of CSV parts (collector/bundle/csv.h) and the texts of the park model:
 *
 *   model.csv, model/...   the accepted park model, with the hash of what it says
 *   meters.csv             the meters that enter the figures, and from when to when their readings are here
 *   points.csv             the points that these were read at
 *   decisions.csv          what persons decided of them, also what was undone
 *   batches.csv            the batches of these readings that the journal still holds
 *   archived/<n>.csv       ... and those that it has pruned, by the archive
 *   readings/<meter>.csv   the register readings
 *   quarters/<meter>.csv   published: its quarter hours of the period
 *   closings.csv           the closings of the period's months, each with its seal and the one before it
 *   overrides.csv          what stood against them
 *   booked.csv             what was booked with them, by meter and month
 *   versions/<meter>.csv   the quarter hours that were decided more than once, each version
 *   report.csv             published: the report of the period, but for earlier periods and baselines
 *   seals.csv              the seals of the archive's months that the period touches
 *   manifest.txt           what it is of, and of each part its SHA-256 and its length; last
 *
 * The hash of the manifest is that of the whole. The same database and program give the same bytes.
 *
 * What is of a meter has a part of its own, so that no more than one meter is in memory, however long the period.
 *
 * Readings begin so long before the period, and end so long behind it, that folding them alone gives the period's quarter
 * hours and events as folding all would: that is tried, with longer stretches, up to all there is (write_meter.c).
 */
#pragma once

#include "collector/model/periods.h"
#include "collector/report/accepted.h"
#include "lib/buf.h"
#include "lib/db.h"

#define BUNDLE_FORM "parkmon evidence 1"

/* Of the parts: the heading, a code for each column. */
#define BUNDLE_MODEL "number,accepted,hash,park,factors,tariffs,who,why"
#define BUNDLE_METERS "number,meter,after,until,readings"
#define BUNDLE_POINTS "number,meter,point"
#define BUNDLE_DECISIONS                                                                               \
    "id,meter,kind,from,until,end,start,modulus,resolution,max_rate,p,q,serial,energy,register,times," \
    "undoes,"                                                                                          \
    "forced,decided,token,who,why"
#define BUNDLE_BATCHES "batch,gateway,epoch,seq,received"
#define BUNDLE_ARCHIVED "batch,gateway,epoch,seq"
#define BUNDLE_READINGS "time,point,register,manual,batch"
#define BUNDLE_QUARTERS "start,amount,quality"
#define BUNDLE_CLOSINGS "closing,site,month,from,until,closed,token,who,why,model,journal,previous,seal"
#define BUNDLE_OVERRIDES "closing,name,what,figure,bound,why"
#define BUNDLE_BOOKED                                                                     \
    "closing,meter,month,quarters,known,unknown_s,estimated,estimated_s,manual,manual_s," \
    "waiting_s,absent_s,versions"
#define BUNDLE_VERSIONS "start,version,amount,quality"
#define BUNDLE_SEALS "number,month,supplement,readings,hash,sealed"

extern const char *const bundle_model_parts[]; /* by enum model_file */

/* What a bundle is of. Texts are owned by this struct. */
struct bundle_about {
    char *site, *period, *program;
    int64_t as_of_ms;    /* when the newest batch arrived; 0 = never */
    int64_t reckoned_ms; /* up to when quarter hours were due: happened_now(), at most the period's end */
};
void bundle_about_release(struct bundle_about *about);

struct bundle_subject {
    struct db *db; /* which nobody writes to */
    const struct accepted *accepted;
    const struct park_site *site;
    struct period period;
    struct periods_span span;
    int64_t as_of_ms, reckoned_ms; /* as in struct bundle_about */
};
/* The site's report as report.csv has it. */
enum status bundle_report(const struct bundle_subject *subject, struct buf *out, struct error *err);
