package interp

import (
	"container/list"
	"crypto/sha256"
	"sync"

	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/lua"
)

// chunkCache keeps compiled chunks of all interpreters of a library. Source and
// name make the key, so a chunk reports the name it was asked for.
type chunkCache struct {
	mu    sync.Mutex
	byKey map[chunkKey]*list.Element
	order *list.List // of *chunkEntry, last used first
	bytes int
}

type chunkKey struct {
	sum        [sha256.Size]byte
	expression bool
}

type chunkEntry struct {
	key   chunkKey
	chunk *lua.Chunk
	size  int
}

// Limits of the cache; a compiled chunk is several times its source.
const (
	cachedChunks = 512
	cachedBytes  = 8 << 20
)

type chunkCacheKey struct{}

func newChunkCache() *chunkCache {
	return &chunkCache{byKey: map[chunkKey]*list.Element{}, order: list.New()}
}

// compile returns the chunk of a request.
func (i *Interp) compile(r *Request) (*lua.Chunk, error) {
	cache := bind.Shared(i.p.Library, chunkCacheKey{}, newChunkCache)
	h := sha256.New()
	h.Write([]byte(r.Name))
	h.Write([]byte{0})
	h.Write([]byte(r.Code))
	key := chunkKey{expression: !r.File}
	h.Sum(key.sum[:0])
	if chunk := cache.get(key); chunk != nil {
		return chunk, nil
	}
	chunk, err := lua.Compile(r.Name, r.Code, lua.CompileOptions{Expression: !r.File})
	if err != nil {
		return nil, err
	}
	cache.put(key, chunk, len(r.Code)+len(r.Name))
	return chunk, nil
}

func (c *chunkCache) get(key chunkKey) *lua.Chunk {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.byKey[key]
	if el == nil {
		return nil
	}
	c.order.MoveToFront(el)
	return el.Value.(*chunkEntry).chunk
}

func (c *chunkCache) put(key chunkKey, chunk *lua.Chunk, size int) {
	if size > cachedBytes/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] != nil {
		return
	}
	c.byKey[key] = c.order.PushFront(&chunkEntry{key, chunk, size})
	c.bytes += size
	for c.order.Len() > cachedChunks || c.bytes > cachedBytes {
		last := c.order.Back()
		entry := c.order.Remove(last).(*chunkEntry)
		delete(c.byKey, entry.key)
		c.bytes -= entry.size
	}
}
