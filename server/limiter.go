package server

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/llmspell/llmspell/fault"
)

// maxBuckets bounds the clients a limiter remembers; idle ones go first.
const maxBuckets = 10_000

// limiter is one token bucket a client of perMinute requests.
type limiter struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	rate.Limiter
	seen time.Time
}

func newLimiter() *limiter { return &limiter{buckets: map[string]*bucket{}} }

// take uses one request of client, 0 perMinute = no limit. It returns what
// remains and how long to wait when refused.
func (l *limiter) take(client string, perMinute int, now time.Time) (remaining int, wait time.Duration, ok bool) {
	if perMinute <= 0 {
		return 0, 0, true
	}
	b := l.bucket(client, perMinute, now)
	res := b.ReserveN(now, 1)
	if wait := res.DelayFrom(now); wait > 0 {
		res.CancelAt(now)
		return 0, wait, false
	}
	return int(b.TokensAt(now)), 0, true
}

// blocked reports whether the client has nothing left, without taking.
func (l *limiter) blocked(client string, perMinute int, now time.Time) bool {
	return l.bucket(client, perMinute, now).TokensAt(now) < 1
}

func (l *limiter) bucket(client string, perMinute int, now time.Time) *bucket {
	limit := rate.Limit(float64(perMinute) / 60)
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[client]
	if !ok {
		if len(l.buckets) >= maxBuckets {
			l.evict(now)
		}
		b = &bucket{Limiter: *rate.NewLimiter(limit, perMinute)}
		l.buckets[client] = b
	}
	if b.Burst() != perMinute { // the configuration changed
		b.SetLimitAt(now, limit)
		b.SetBurstAt(now, perMinute)
	}
	b.seen = now
	return b
}

// evict drops buckets idle for a minute (full again), else any.
func (l *limiter) evict(now time.Time) {
	for k, b := range l.buckets {
		if now.Sub(b.seen) >= time.Minute {
			delete(l.buckets, k)
		}
	}
	for k := range l.buckets {
		if len(l.buckets) < maxBuckets {
			return
		}
		delete(l.buckets, k)
	}
}

// limit answers 429 when the client of r is over the configured rate.
func (l *limiter) limit(w http.ResponseWriter, client string, perMinute int) error {
	if perMinute <= 0 {
		return nil
	}
	remaining, wait, ok := l.take(client, perMinute, time.Now())
	h := w.Header()
	h.Set("RateLimit-Limit", strconv.Itoa(perMinute))
	h.Set("RateLimit-Remaining", strconv.Itoa(remaining))
	h.Set("RateLimit-Reset", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	if ok {
		return nil
	}
	e := fault.Errorf(fault.RateLimited, "more than %d requests a minute", perMinute)
	e.RetryAfterMS = wait.Milliseconds()
	return e
}

// remoteAddr is the client's address: the peer, or what trusted proxies
// forwarded, read from the right.
func remoteAddr(r *http.Request, trusted []netip.Prefix) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	addr := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && contains(trusted, addr); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = next.Unmap()
	}
	return addr.String()
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// parsePrefixes reads validated CIDRs or addresses.
func parsePrefixes(list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
		} else if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return out
}
