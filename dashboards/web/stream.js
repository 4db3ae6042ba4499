// The live events, and what the connection is like. EventSource reconnects by itself after a drop, but gives up on an answer that is no
// stream (a 503, a proxy's page): then we start again, ever more slowly. It waits for ever where a connection is gone and nobody said so:
// then we start again as well.

const firstRetryMs = 2000;
const lastRetryMs = 30000;
const silentMs = 45000; // the collector has an event each half minute at least
const unansweredMs = 15000; // the browser may take a connection that is gone as well
const askedMs = 10000;

// What the answer was EventSource does not tell: another one does.
async function isSignedOut() {
  const answer = await fetch('/api/v1/live', { cache: 'no-store', signal: AbortSignal.timeout(askedMs) }).catch(() => null);
  return answer !== null && answer.status === 401;
}

export function openStream(url, { onData, onState, onSignedOut }) {
  let retryMs = firstRetryMs;
  let source = null; // null: the page is not looked at
  let timer = 0;
  let heardAt = 0;
  let isLeft = false;

  function connect() {
    source?.close();
    const mine = new EventSource(url);
    source = mine;
    heardAt = performance.now();
    mine.addEventListener('open', () => {
      retryMs = firstRetryMs;
      heardAt = performance.now();
      onState('open');
    });
    mine.addEventListener('live', (event) => {
      heardAt = performance.now();
      onData(JSON.parse(event.data));
    });
    mine.addEventListener('error', async () => {
      onState('lost');
      if (mine.readyState !== EventSource.CLOSED) return;
      const isOut = await isSignedOut();
      if (mine !== source) return;
      if (isOut) {
        onSignedOut();
        return;
      }
      timer = setTimeout(connect, retryMs);
      retryMs = Math.min(2 * retryMs, lastRetryMs);
    });
  }

  // A browser gives a host few connections. A page that nobody sees keeps none: neither one behind another, nor one that was left and may be
  // kept by the browser.
  function follow() {
    if (!document.hidden && !isLeft) {
      if (source === null) connect();
      return;
    }
    clearTimeout(timer);
    source?.close();
    source = null;
    onState('wait');
  }

  document.addEventListener('visibilitychange', follow);
  addEventListener('pagehide', () => {
    isLeft = true;
    follow();
  });
  addEventListener('pageshow', () => {
    isLeft = false;
    follow();
  });
  setInterval(() => {
    if (source === null || source.readyState === EventSource.CLOSED || performance.now() - heardAt < (source.readyState === EventSource.OPEN ? silentMs : unansweredMs)) return;
    onState('lost');
    connect();
  }, 1000);
  follow();
}
