package lua

// Room reports whether n more bytes fit under the memory limit. Near the limit
// it walks to count what lives. Values that the host is still building are not
// reachable and thus not counted then: n includes them.
func (s *State) Room(n int64) bool {
	limit := s.quota()
	if limit == 0 || s.mem+n <= limit {
		return true
	}
	s.walk(false)
	return s.mem+n <= limit
}
