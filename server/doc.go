// Package server makes a Kernel a service: HTTP with server-sent events,
// authentication, metrics and health, as kernel contract section 5 says.
//
//	srv, err := server.Start(ctx, kernel) // binds what the configuration says
//	fmt.Println(srv.Addrs().HTTP)
//	err = srv.Wait()
//
// [Handler] is the same API for a listener of your own; [Guard] gives the
// kernel's own Host, Origin and token checks to a service with its own routes.
package server
