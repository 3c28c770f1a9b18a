// Package session decides when an execution may go on. A [Queue] admits
// executions: one after the other within a lane (a session), in turns across
// lanes. [Slots] hands out the right to execute bytecode among the admitted
// ones, 2 ms at a time.
//
//	q := session.NewQueue(session.Limits{Concurrent: 64, PerLane: 256, Total: 4096})
//	lane := session.NewLane(true)
//	if err := q.Enter(ctx, lane); err != nil {
//		return err
//	}
//	defer q.Leave(lane)
//
// Neither keeps a goroutine: an idle lane is a few words of memory.
package session
