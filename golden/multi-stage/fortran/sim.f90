program sim
    print *, "42"
end program
