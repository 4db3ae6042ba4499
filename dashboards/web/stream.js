// The live events, and what the connection is like. EventSource reconnects by itself after a drop, but gives up on an answer that is no
// stream (a 503, a proxy's page): then we start again, ever more slowly.

const firstRetryMs = 2000;
const lastRetryMs = 30000;

// What the answer was EventSource does not tell: another one does.
async function isSignedOut() {
  const answer = await fetch('/api/v1/live', { cache: 'no-store' }).catch(() => null);
  return answer !== null && answer.status === 401;
}

export function openStream(url, { onData, onState, onSignedOut }) {
  let retryMs = firstRetryMs;
  let source = null;
  let timer = 0;

  function connect() {
    source = new EventSource(url);
    source.addEventListener('open', () => {
      retryMs = firstRetryMs;
      onState('open');
    });
    source.addEventListener('live', (event) => onData(JSON.parse(event.data)));
    source.addEventListener('error', async () => {
      onState('lost');
      if (source.readyState === EventSource.CLOSED) {
        if (await isSignedOut()) {
          onSignedOut();
          return;
        }
        timer = setTimeout(connect, retryMs);
        retryMs = Math.min(2 * retryMs, lastRetryMs);
      }
    });
  }

  // A page that was left may be kept by the browser, and would keep one of the few connections that a host gets.
  addEventListener('pagehide', () => {
    clearTimeout(timer);
    source.close();
  });
  addEventListener('pageshow', (event) => {
    if (event.persisted) connect();
  });
  connect();
}
