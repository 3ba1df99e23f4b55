print "served"
